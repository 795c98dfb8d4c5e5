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
void control_enter(struct request *r);	   /* /emulator/… */

#endif
