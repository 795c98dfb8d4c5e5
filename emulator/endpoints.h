/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The endpoints that route.c lists: each finds the route of a path below its prefix.
 */
#ifndef CLOUDINVITE_EMULATOR_ENDPOINTS_H
#define CLOUDINVITE_EMULATOR_ENDPOINTS_H

struct request;

void invitations_dispatch(struct request *r); /* /v1/…, /v1beta1/… */
void token_dispatch(struct request *r);	      /* /token */
void consent_dispatch(struct request *r);     /* /o/oauth2/… */
void iam_dispatch(struct request *r);	      /* /v1/projects/… */
void sts_dispatch(struct request *r);	      /* /v1/token */
void metadata_dispatch(struct request *r);    /* all paths of the metadata server */
void control_dispatch(struct request *r);     /* /emulator/… */

#endif
