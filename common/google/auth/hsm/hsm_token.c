/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which PKCS#11 tokens there are, and how near each is to locking itself: read before a PIN is
 * given away, and after one did not help. OpenSSL's provider tells neither.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "google/auth/hsm/hsm_key.h"
#include "google/auth/hsm/hsm_uri.h"

#define SLOTS_MAX 64

/* ---- the modules ---- */

/* The entry of the module that the provider and the engine use: p11-kit's, which stands for all
 * configured modules, unless the environment names another one. That one stays loaded, because some
 * modules start threads that still run its code. */
static CK_C_GetFunctionList find_entry(void)
{
	const char *name = secure_getenv("PKCS11_PROVIDER_MODULE");
	CK_C_GetFunctionList get = NULL;
	void *module;

	if (!name)
		name = secure_getenv("PKCS11_MODULE_PATH");
	if (!name)
		return C_GetFunctionList;
	module = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!module)
		return NULL;
	*(void **)&get = dlsym(module, "C_GetFunctionList");
	dlclose(module);
	return get;
}

/* Called once: p11-kit makes a new list at each call, and never frees it. */
static CK_FUNCTION_LIST *find_functions(void)
{
	static CK_FUNCTION_LIST *list;
	CK_C_GetFunctionList get = list ? NULL : find_entry();

	if (get && get(&list) != CKR_OK)
		list = NULL;
	return list;
}

/* ---- choosing the token ---- */

static void record_flags(struct hsm_token *t, CK_FLAGS flags)
{
	t->wants_pin = (flags & CKF_LOGIN_REQUIRED) && !(flags & CKF_PROTECTED_AUTHENTICATION_PATH);
	t->pin_locked = flags & CKF_USER_PIN_LOCKED;
	t->pin_last_try = flags & CKF_USER_PIN_FINAL_TRY;
	t->pin_wrong = t->pin_locked || t->pin_last_try || (flags & CKF_USER_PIN_COUNT_LOW);
}

static void record_label(struct hsm_token *t, const CK_TOKEN_INFO *info)
{
	size_t used = strlen(t->others), n = sizeof(info->label);

	while (n > 0 && info->label[n - 1] == ' ')
		n--;
	str_format(t->others + used, sizeof(t->others) - used, "%s%.*s", used ? ", " : "", (int)n,
		(const char *)info->label);
}

static void inspect_slot(
	struct hsm_token *t, const P11KitUri *uri, const CK_FUNCTION_LIST *p11, CK_SLOT_ID slot)
{
	CK_TOKEN_INFO info;

	if (p11->C_GetTokenInfo(slot, &info) != CKR_OK || !(info.flags & CKF_TOKEN_INITIALIZED))
		return;
	record_label(t, &info);
	if (!p11_kit_uri_match_token_info(uri, &info))
		return;
	t->state = t->state == HSM_TOKEN_ABSENT ? HSM_TOKEN_FOUND : HSM_TOKEN_AMBIGUOUS;
	record_flags(t, info.flags);
}

static void inspect_slots(struct hsm_token *t, const P11KitUri *uri, const CK_FUNCTION_LIST *p11)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX;

	if (p11->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
		return;
	t->state = HSM_TOKEN_ABSENT;
	for (CK_ULONG i = 0; i < count; i++)
		inspect_slot(t, uri, p11, slots[i]);
}

void hsm_token_info(const char *uri, struct hsm_token *token)
{
	P11KitUri *parsed = hsm_uri_parse(uri);
	const CK_FUNCTION_LIST *p11 = parsed ? find_functions() : NULL;
	CK_RV begun = p11 ? p11->C_Initialize(NULL) : CKR_GENERAL_ERROR;

	*token = (struct hsm_token){.state = HSM_TOKEN_UNKNOWN};
	if (begun == CKR_OK || begun == CKR_CRYPTOKI_ALREADY_INITIALIZED)
		inspect_slots(token, parsed, p11);
	if (begun == CKR_OK)
		p11->C_Finalize(NULL);
	p11_kit_uri_free(parsed);
}
