/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PKCS#11 engine of OpenSSL 1.1, which OpenSSL 3 still loads. Its interface is deprecated. Only
 * this file uses it, and only if there is no provider.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/opensslconf.h>
#include <stddef.h>

#include "google/auth/hsm/hsm_key.h"

#ifndef OPENSSL_NO_ENGINE
#include <openssl/engine.h>

bool hsm_engine_open(struct hsm_key *k, const char *uri, struct hsm_error *error)
{
	ENGINE *engine;

	ENGINE_load_builtin_engines(); /* the engine that loads others is one of them */
	engine = ENGINE_by_id("pkcs11");
	if (!engine) {
		openssl_drain_errors(error);
		error->not_installed = true;
		return false;
	}
	ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 0);
	if (ENGINE_init(engine)) {
		k->engine = engine;
		k->key = ENGINE_load_private_key(engine, uri, NULL, NULL);
		openssl_drain_errors(error);
		error->reports_pin_errors = true;
		return k->key;
	}
	openssl_drain_errors(error);
	error->no_device = true;
	ENGINE_free(engine);
	return false;
}

void hsm_engine_close(struct hsm_key *k)
{
	ENGINE *engine = k->engine;

	if (!engine)
		return;
	ENGINE_finish(engine);
	ENGINE_free(engine);
	k->engine = NULL;
}

#else

bool hsm_engine_open(struct hsm_key *k, const char *uri, struct hsm_error *error)
{
	(void)k, (void)uri;
	openssl_drain_errors(error);
	error->not_installed = true;
	return false;
}

void hsm_engine_close(struct hsm_key *k)
{
	(void)k;
}

#endif
