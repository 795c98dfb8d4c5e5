/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doors of the areas that route.c lists.
 */
#ifndef CLOUDINVITE_EMULATOR_AREAS_H
#define CLOUDINVITE_EMULATOR_AREAS_H

struct request;

void invitations_enter(struct request *r); /* /v1/…, /v1beta1/… */
void token_enter(struct request *r);	   /* /token */
void consent_enter(struct request *r);	   /* /o/oauth2/… */
void iam_enter(struct request *r);	   /* /v1/projects/… */
void sts_enter(struct request *r);	   /* /v1/token */
void metadata_enter(struct request *r);	   /* everything behind the metadata server's door */
void control_enter(struct request *r);	   /* /emulator/… */

#endif
