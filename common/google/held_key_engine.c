/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PKCS#11 engine of OpenSSL 1.1, which OpenSSL 3 still loads. Its interface is deprecated; only
 * this file uses it, and only where there is no provider.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/opensslconf.h>
#include <stddef.h>

#include "google/held_key.h"

#ifndef OPENSSL_NO_ENGINE
#include <openssl/engine.h>

bool held_key_engine_open(struct held_key *k, const char *uri, struct held_key_trouble *trouble)
{
	ENGINE *engine;

	ENGINE_load_builtin_engines(); /* the one that loads others is among them */
	engine = ENGINE_by_id("pkcs11");
	if (!engine) {
		held_key_drain(trouble);
		trouble->missing = true;
		return false;
	}
	ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 0);
	if (ENGINE_init(engine)) {
		k->engine = engine;
		k->key = ENGINE_load_private_key(engine, uri, NULL, NULL);
		held_key_drain(trouble);
		trouble->told = true;
		return k->key != NULL;
	}
	held_key_drain(trouble);
	trouble->unreachable = true;
	ENGINE_free(engine);
	return false;
}

void held_key_engine_close(struct held_key *k)
{
	ENGINE *engine = k->engine;

	if (!engine)
		return;
	ENGINE_finish(engine);
	ENGINE_free(engine);
	k->engine = NULL;
}

#else

bool held_key_engine_open(struct held_key *k, const char *uri, struct held_key_trouble *trouble)
{
	(void)k, (void)uri;
	held_key_drain(trouble);
	trouble->missing = true;
	return false;
}

void held_key_engine_close(struct held_key *k)
{
	(void)k;
}

#endif
