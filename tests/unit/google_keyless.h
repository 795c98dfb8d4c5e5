/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: settings for a credential's file, and files of credentials without a key of their own.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_GOOGLE_KEYLESS_H
#define CLOUDINVITE_TESTS_UNIT_GOOGLE_KEYLESS_H

#include "folder.h"

#include "google/auth/credential.h"
#include "google_key.h"

#define INVITER "inviter@inviter-1.iam.gserviceaccount.com"
#define IAM	"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
#define PROVIDER \
	"//iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/k8s/providers/c1"

extern char token_endpoint[];
extern char iam_endpoint[], admin[], none[];
extern char sts_endpoint[], inviter[];
extern char google[], azure[];
extern char metadata[], run[];
extern char *pem; /* 2048 bits */

struct test {
	struct folder *folder;
	struct settings settings;
	struct fault fault;
};

struct test begin(void **state);

/* Takes ownership of `file`. */
struct credential *load(struct test *t, json_t *file);
void expect_taken(struct test *t, json_t *file);
void expect_refused(struct test *t, json_t *file, const char *code, const char *says);

/* ---- files ---- */

json_t *impersonated(void);
json_t *external(void);
json_t *with(json_t *file, const char *name, json_t *value);
int make_pem(void **state);
int free_pem(void **state);

#endif
