/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which PKCS#11 tokens there are, and how near each is to locking itself: read before a PIN is
 * given away, and after one did not help. OpenSSL's provider tells neither.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "google/auth/hsm/hsm_key.h"
#include "settings/key_uri.h"

#define SLOTS_MAX 64

/* ---- as much of Cryptoki (PKCS #11 2.40) as this takes ---- */

#define CKR_OK				  0UL
#define CKR_CRYPTOKI_ALREADY_INITIALIZED  0x191UL
#define CKF_LOGIN_REQUIRED		  0x4UL
#define CKF_PROTECTED_AUTHENTICATION_PATH 0x100UL
#define CKF_TOKEN_INITIALIZED		  0x400UL
#define CKF_USER_PIN_COUNT_LOW		  0x10000UL
#define CKF_USER_PIN_FINAL_TRY		  0x20000UL
#define CKF_USER_PIN_LOCKED		  0x40000UL

/* Texts are padded with blanks, and do not end in a NUL. */
struct ck_token_info {
	char label[32], manufacturer[32], model[16], serial[16];
	unsigned long flags;
	unsigned long limits[10];
	unsigned char versions[4];
	char time[16];
};

struct ck_functions {
	unsigned char version[2];
	unsigned long (*initialize)(void *args);
	unsigned long (*finalize)(void *reserved);
	unsigned long (*get_info)(void *info);
	unsigned long (*get_function_list)(struct ck_functions **list);
	unsigned long (*get_slot_list)(
		unsigned char token_present, unsigned long *slots, unsigned long *count);
	unsigned long (*get_slot_info)(unsigned long slot, void *info);
	unsigned long (*get_token_info)(unsigned long slot, struct ck_token_info *info);
};

/* ---- the modules ---- */

/* The module that provider and engine would take: all of p11-kit's, unless the environment names
 * another. It stays loaded: some start threads that would find their code gone. */
static void *open_module(void)
{
	const char *name = secure_getenv("PKCS11_PROVIDER_MODULE");
	void *module;

	if (!name)
		name = secure_getenv("PKCS11_MODULE_PATH");
	module = dlopen(name ? name : "p11-kit-proxy.so", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!module && !name)
		module = dlopen("libp11-kit.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	return module;
}

/* Asked once: p11-kit makes another list for each who asks, and keeps it for good. */
static const struct ck_functions *find_functions(void)
{
	static struct ck_functions *list;
	unsigned long (*get)(struct ck_functions * *list);
	void *module = list ? NULL : open_module();

	if (!module)
		return list;
	*(void **)&get = dlsym(module, "C_GetFunctionList");
	if (!get || get(&list) != CKR_OK)
		list = NULL;
	dlclose(module);
	return list;
}

/* ---- choosing the token ---- */

static bool matches_uri(const char *uri, const char *name, const char *padded, size_t n)
{
	char wanted[64];

	while (n > 0 && padded[n - 1] == ' ')
		n--;
	if (!key_uri_has(uri, name))
		return true;
	return key_uri_get(uri, name, wanted, sizeof(wanted)) && strlen(wanted) == n &&
	       memcmp(wanted, padded, n) == 0;
}

static bool is_wanted(const char *uri, const struct ck_token_info *info)
{
	return matches_uri(uri, "token", info->label, sizeof(info->label)) &&
	       matches_uri(uri, "manufacturer", info->manufacturer, sizeof(info->manufacturer)) &&
	       matches_uri(uri, "model", info->model, sizeof(info->model)) &&
	       matches_uri(uri, "serial", info->serial, sizeof(info->serial));
}

static void record_flags(struct hsm_token *t, unsigned long flags)
{
	t->wants_pin = (flags & CKF_LOGIN_REQUIRED) && !(flags & CKF_PROTECTED_AUTHENTICATION_PATH);
	t->pin_locked = flags & CKF_USER_PIN_LOCKED;
	t->pin_last_try = flags & CKF_USER_PIN_FINAL_TRY;
	t->pin_wrong = t->pin_locked || t->pin_last_try || (flags & CKF_USER_PIN_COUNT_LOW);
}

static void record_label(struct hsm_token *t, const struct ck_token_info *info)
{
	size_t used = strlen(t->others), n = sizeof(info->label);

	while (n > 0 && info->label[n - 1] == ' ')
		n--;
	str_format(t->others + used, sizeof(t->others) - used, "%s%.*s", used ? ", " : "", (int)n,
		info->label);
}

static void inspect_slot(
	struct hsm_token *t, const char *uri, const struct ck_functions *p11, unsigned long slot)
{
	struct ck_token_info info;

	if (p11->get_token_info(slot, &info) != CKR_OK || !(info.flags & CKF_TOKEN_INITIALIZED))
		return;
	record_label(t, &info);
	if (!is_wanted(uri, &info))
		return;
	t->state = t->state == HSM_TOKEN_ABSENT ? HSM_TOKEN_FOUND : HSM_TOKEN_AMBIGUOUS;
	record_flags(t, info.flags);
}

static void inspect_slots(struct hsm_token *t, const char *uri, const struct ck_functions *p11)
{
	unsigned long slots[SLOTS_MAX], count = SLOTS_MAX;

	if (p11->get_slot_list(1, slots, &count) != CKR_OK)
		return;
	t->state = HSM_TOKEN_ABSENT;
	for (unsigned long i = 0; i < count; i++)
		inspect_slot(t, uri, p11, slots[i]);
}

void hsm_token_info(const char *uri, struct hsm_token *token)
{
	const struct ck_functions *p11 = find_functions();
	unsigned long begun = p11 ? p11->initialize(NULL) : !CKR_OK;

	*token = (struct hsm_token){.state = HSM_TOKEN_UNKNOWN};
	if (begun == CKR_OK || begun == CKR_CRYPTOKI_ALREADY_INITIALIZED)
		inspect_slots(token, uri, p11);
	if (begun == CKR_OK)
		p11->finalize(NULL);
}
