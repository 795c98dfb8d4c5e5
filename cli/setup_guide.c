/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to click and paste at Google, as the set-up guide of the User Invitation API has it, and the
 * walls that others have met.
 */
#include "cli/setup.h"

#include <stdio.h>
#include <string.h>

#include "google/token.h"

#define CLOUD "https://console.cloud.google.com"
#define ADMIN "https://admin.google.com"

/* ---- the page ---- */

static void step(struct setup *s, int number, const char *text)
{
	char label[8];

	text_format(label, sizeof(label), "%d.", number);
	screen_to(&s->screen, 2);
	screen_put(&s->screen, INK_BOLD, label);
	screen_to(&s->screen, 5);
	screen_wrap(&s->screen, INK_PLAIN, 5, text);
	screen_end(&s->screen);
}

/* Something to open or paste: on a line of its own, whole. */
static void line(const char *text)
{
	cli_print("     %s", text);
}

static void page(const char *address, const struct setup_credential *known)
{
	char whole[512];

	text_format(whole, sizeof(whole), "%s%s%s", address,
		known && known->project[0] ? "?project=" : "", known ? known->project : "");
	line(whole);
}

/* ---- Google Cloud console ---- */

static void make_account(struct setup *s, int number, const struct setup_credential *known)
{
	step(s, number,
		"A service account, without any role: Create service account, name cloudinvite, "
		"Done. On its page, note the Unique ID: a number, which delegation wants below.");
	page(CLOUD "/iam-admin/serviceaccounts", known);
	line("gcloud iam service-accounts create cloudinvite");
	line("gcloud iam service-accounts describe cloudinvite@PROJECT.iam.gserviceaccount.com "
	     "--format='value(uniqueId)'");
}

static void enable_apis(
	struct setup *s, int number, const struct setup_credential *known, bool sign)
{
	step(s, number,
		sign ? "Enable the Cloud Identity API, and the IAM Service Account Credentials API:"
		     : "Enable the Cloud Identity API:");
	page(CLOUD "/apis/library/cloudidentity.googleapis.com", known);
	if (sign)
		page(CLOUD "/apis/library/iamcredentials.googleapis.com", known);
	line(sign ? "gcloud services enable cloudidentity.googleapis.com "
		    "iamcredentials.googleapis.com"
		  : "gcloud services enable cloudidentity.googleapis.com");
}

static void guide_keyless(struct setup *s, const struct setup_credential *known)
{
	enable_apis(s, 2, known, true);
	make_account(s, 3, known);
	step(s, 4,
		"Let this machine sign for that account: on the account's page, Principals with "
		"access, Grant access: the machine's own service account (which may be the same "
		"one), role Service Account Token Creator. Who holds that role reaches this one "
		"scope as any user of the organisation: let nobody else have it.");
	line("gcloud iam service-accounts add-iam-policy-binding "
	     "cloudinvite@PROJECT.iam.gserviceaccount.com \\");
	line("  --member=serviceAccount:MACHINE@PROJECT.iam.gserviceaccount.com "
	     "--role=roles/iam.serviceAccountTokenCreator");
	step(s, 5,
		"The credential then is `metadata:`, and the machine needs the access scope "
		"cloud-platform. Outside of Google Cloud, make a workload identity pool instead "
		"(see cloudinvite.conf(5)); the credential then is the pool's configuration file.");
}

static void guide_key(struct setup *s, const struct setup_credential *known)
{
	enable_apis(s, 2, known, false);
	make_account(s, 3, known);
	step(s, 4,
		"A key: on the account's page, Keys, Add key, Create new key, JSON. Bring the file "
		"to this host, and leave no copy behind: whoever has it reaches this one scope as "
		"any user of the organisation, from anywhere.");
	step(s, 5,
		"If Google says that key creation is not allowed: the organisation policy "
		"iam.disableServiceAccountKeyCreation forbids it, as in all new organisations. "
		"Then go without a key, or log in as an administrator.");
}

static void guide_login(struct setup *s, const struct setup_credential *known)
{
	enable_apis(s, 2, known, false);
	step(s, 3,
		"The consent screen: audience Internal. An External app in testing ends every "
		"login "
		"after seven days.");
	page(CLOUD "/auth/audience", known);
	step(s, 4, "An OAuth client of type Desktop app; download its JSON.");
	page(CLOUD "/auth/clients", known);
	step(s, 5,
		"Log in with it as the administrator (setup does it for you when it is asked for "
		"the client's file):");
	line("sudo cloudinvite login --client FILE");
}

void setup_guide_cloud(
	struct setup *s, enum setup_route route, const struct setup_credential *known)
{
	if (s->json)
		return;
	screen_heading(&s->screen, "In the Google Cloud console");
	step(s, 1, "A project of its own, in the organisation:");
	line(CLOUD "/projectcreate");
	if (route == ROUTE_KEY)
		guide_key(s, known);
	else if (route == ROUTE_LOGIN)
		guide_login(s, known);
	else
		guide_keyless(s, known);
}

/* ---- Admin console ---- */

static void guide_delegation(struct setup *s, const struct setup_credential *known)
{
	char id[96];

	step(s, 1,
		"Domain-wide delegation (Security, Access and data control, API controls): Add "
		"new, paste both, Authorize. The client id is the number, not the mail address; "
		"the scope must be this one and no other. It takes minutes, sometimes a day.");
	line(ADMIN "/ac/owl/domainwidedelegation");
	text_format(id, sizeof(id), "Client ID:    %s",
		known && known->client_id[0] ? known->client_id
					     : "the service account's Unique ID, a number");
	line(id);
	line("OAuth scopes: " GOOGLE_SCOPE);
	step(s, 2,
		"The administrator to act as: a super administrator of its own for this, who has "
		"signed in once. Google's audit log names that account.");
	line(ADMIN "/ac/users");
}

static void guide_session(struct setup *s)
{
	step(s, 1,
		"The administrator who logs in: a super administrator of its own for this, who has "
		"signed in once. Google's audit log names that account.");
	line(ADMIN "/ac/users");
	step(s, 2,
		"Google Cloud session control (Security, Access and data control) ends logins "
		"within hours where it is on (rapt_required): exempt this account from it.");
}

void setup_guide_admin(
	struct setup *s, enum setup_route route, const struct setup_credential *known)
{
	if (s->json)
		return;
	screen_heading(&s->screen, "In the Admin console, as a super administrator");
	if (route == ROUTE_LOGIN)
		guide_session(s);
	else
		guide_delegation(s, known);
	step(s, 3,
		"Where \"Conflicting accounts management\" or a provisioning connector "
		"(resolveConflictAccount) is on, Google invites by itself.");
	step(s, 4,
		"The edition: Essentials has no invitations. Google's notice of 2022 leaves out "
		"most Education editions, Frontline, Nonprofits and legacy ones, too; whether they "
		"have them today is not known: the check tells.");
}
