/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that do not belong to one person: users of cloud images, automation, the role names of RFC
 * 2142 and similar ones, services that have a login, and names that several people share. The
 * template would turn them into addresses such as info@ and deploy@, whose mail no single person
 * reads. A person may still be called Jenkins: allow_reserved_names is for that.
 */
#include "people/verdict.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"

#define LONGEST 32

static const char cloud[] = "cloud image";
static const char automation[] = "automation";
static const char role[] = "role name";
static const char service[] = "service";
static const char shared[] = "shared name";
static const char machine[] = "machine account";

struct name {
	const char *name;
	const char *group;
};

/* Sorted by strcmp, in lower case. */
static const struct name names[] = {
	/* clang-format off */
	{ "abuse", role }, { "accounting", role }, { "accounts", role },
	{ "actions-runner", automation }, { "activemq", service }, { "adm", service },
	{ "admin", cloud }, { "admin1", shared }, { "administrator", shared },
	{ "adminuser", shared }, { "agent", automation }, { "airflow", service },
	{ "almalinux", cloud }, { "alpine", cloud }, { "amanda", service }, { "amazon", cloud },
	{ "anonymous", shared }, { "ansible", automation }, { "ansible-admin", automation },
	{ "ansible-user", automation }, { "apache", service }, { "apache2", service },
	{ "arch", cloud }, { "argocd", automation }, { "armbian", cloud },
	{ "artifactory", service }, { "asterisk", service }, { "atlantis", automation },
	{ "automation", automation }, { "avahi", service }, { "awx", automation },
	{ "azureadmin", cloud }, { "azureuser", cloud }, { "backup", automation },
	{ "backuppc", automation }, { "backups", automation }, { "bacula", automation },
	{ "bamboo", automation }, { "bareos", automation }, { "billing", role },
	{ "bin", service }, { "bind", service }, { "bitbucket", service }, { "bitnami", cloud },
	{ "board", role }, { "borg", automation }, { "borgbackup", automation },
	{ "bot", automation }, { "bottlerocket", cloud }, { "build", automation },
	{ "buildbot", automation }, { "builder", automation }, { "buildkite", automation },
	{ "buildkite-agent", automation }, { "business", role }, { "careers", role },
	{ "cassandra", service }, { "centos", cloud }, { "ceph", service },
	{ "cfengine", automation }, { "check_mk", automation }, { "checkmk", automation },
	{ "chef", automation }, { "ci", automation }, { "cicd", automation },
	{ "circleci", automation }, { "clamav", service }, { "class", shared },
	{ "clickhouse", service }, { "cloud", cloud }, { "cloud-init", automation },
	{ "cloud-user", cloud }, { "cloudinvite", automation }, { "clouduser", cloud },
	{ "collectd", automation }, { "concourse", automation }, { "confluence", service },
	{ "consul", automation }, { "contact", role }, { "containerd", automation },
	{ "contracts", role }, { "core", cloud }, { "couchdb", service }, { "cron", automation },
	{ "customerservice", role }, { "cyrus", service }, { "daemon", service },
	{ "datadog", automation }, { "db2", service }, { "db2inst1", service },
	{ "dd-agent", automation }, { "debian", cloud }, { "default", shared }, { "demo", shared },
	{ "demo1", shared }, { "demouser", shared }, { "deploy", automation },
	{ "deployer", automation }, { "deployment", automation }, { "dev", shared },
	{ "developer", shared }, { "developers", shared }, { "development", shared },
	{ "devops", shared }, { "devuser", shared }, { "dietpi", cloud }, { "docker", automation },
	{ "dovecot", service }, { "dpo", role }, { "drone", automation },
	{ "duplicity", automation }, { "ec2-user", cloud }, { "elastic", service },
	{ "elasticsearch", service }, { "emergency", shared }, { "enquiries", role },
	{ "etcd", service }, { "everyone", shared }, { "example", shared }, { "exim", service },
	{ "fedora", cloud }, { "feedback", role }, { "filebeat", automation }, { "finance", role },
	{ "flatcar", cloud }, { "flink", service }, { "fluentbit", automation },
	{ "fluentd", automation }, { "foreman", automation }, { "foreman-proxy", automation },
	{ "freebsd", cloud }, { "ftp", role }, { "games", service }, { "gcp-user", cloud },
	{ "generic", shared }, { "gentoo", cloud }, { "ghrunner", automation }, { "git", service },
	{ "gitea", automation }, { "gitea-runner", automation }, { "github", automation },
	{ "github-actions", automation }, { "github-runner", automation },
	{ "gitlab", automation }, { "gitlab-runner", automation }, { "gitolite", service },
	{ "gitosis", service }, { "gnats", service }, { "gocd", automation },
	{ "grafana", automation }, { "graphite", automation }, { "guacamole", service },
	{ "guest", shared }, { "guest1", shared }, { "guestuser", shared }, { "hacker", shared },
	{ "hadoop", service }, { "halt", shared }, { "haproxy", service }, { "hbase", service },
	{ "hdfs", service }, { "hello", role }, { "help", role }, { "helpdesk", role },
	{ "helpdesk1", shared }, { "hive", service }, { "host", shared }, { "hostmaster", role },
	{ "hr", role }, { "http", service }, { "httpd", service }, { "icinga", automation },
	{ "icinga2", automation }, { "influxdb", automation }, { "info", role },
	{ "informix", service }, { "inquiries", role }, { "install", shared },
	{ "installer", shared }, { "invoices", role }, { "irc", service }, { "it", role },
	{ "jboss", service }, { "jenkins", automation }, { "jenkins-agent", automation },
	{ "jenkins-slave", automation }, { "jetty", service }, { "jira", service },
	{ "jobs", role }, { "k8s", automation }, { "kafka", service }, { "kali", cloud },
	{ "keycloak", service }, { "kibana", service }, { "kiosk", shared },
	{ "kubelet", automation }, { "kubernetes", automation }, { "lab", shared },
	{ "lab1", shared }, { "labuser", shared }, { "ldap", service }, { "legal", role },
	{ "librenms", automation }, { "linux", cloud }, { "linuxadmin", cloud }, { "list", role },
	{ "list-request", role }, { "local", shared }, { "localadm", shared },
	{ "localadmin", shared }, { "localuser", shared }, { "login", shared },
	{ "logstash", automation }, { "lp", service }, { "mail", role }, { "mailer-daemon", role },
	{ "mailman", role }, { "mailnull", service }, { "maint-user", cloud },
	{ "maintenance", role }, { "man", service }, { "mapred", service }, { "mariadb", service },
	{ "marketing", role }, { "mcollective", automation }, { "me", shared }, { "media", role },
	{ "memcached", service }, { "minecraft", service }, { "minio", service },
	{ "mongo", service }, { "mongod", service }, { "mongodb", service },
	{ "monit", automation }, { "monitor", automation }, { "monitoring", automation },
	{ "mosquitto", service }, { "mssql", service }, { "munin", automation },
	{ "my-user", shared }, { "mysql", service }, { "myuser", shared },
	{ "naemon", automation }, { "nagios", automation }, { "named", service },
	{ "netdata", automation }, { "news", role }, { "newsletter", role }, { "newuser", shared },
	{ "nexus", service }, { "nfsnobody", service }, { "nginx", service }, { "nixos", cloud },
	{ "no-reply", role }, { "nobody", service }, { "noc", role },
	{ "node-exporter", automation }, { "node_exporter", automation }, { "nodejs", service },
	{ "nomad", automation }, { "noreply", role }, { "nouser", shared }, { "nrpe", automation },
	{ "nslcd", service }, { "ntp", service }, { "observium", automation },
	{ "octopus", automation }, { "office", role }, { "opc", cloud }, { "openldap", service },
	{ "opensearch", service }, { "opensuse", cloud }, { "openvpn", service },
	{ "operator", shared }, { "operators", shared }, { "ops", shared }, { "oracle", service },
	{ "oradb", service }, { "oragrid", service }, { "orchestrator", service },
	{ "orders", role }, { "outscale", cloud }, { "packer", automation },
	{ "packer-user", cloud }, { "payroll", role }, { "pgbouncer", service },
	{ "photon", cloud }, { "php", service }, { "php-fpm", service }, { "pi", cloud },
	{ "plex", service }, { "podman", automation }, { "postfix", service },
	{ "postgres", service }, { "postgresql", service }, { "postmaster", role },
	{ "press", role }, { "privacy", role }, { "procurement", role }, { "prod", shared },
	{ "production", shared }, { "proftpd", service }, { "prometheus", automation },
	{ "promtail", automation }, { "proxy", service }, { "public", shared },
	{ "puppet", automation }, { "purchasing", role }, { "qa", shared },
	{ "rabbitmq", service }, { "rancher", cloud }, { "raspberry", cloud },
	{ "rclone", automation }, { "reception", role }, { "recovery", shared },
	{ "recruiting", role }, { "redhat", cloud }, { "redis", service }, { "registrar", role },
	{ "remote", shared }, { "rescue", shared }, { "restic", automation }, { "rhel", cloud },
	{ "rke", automation }, { "robot", automation }, { "rocky", cloud },
	{ "rockylinux", cloud }, { "root", shared }, { "root2", shared },
	{ "rsnapshot", automation }, { "rsync", automation }, { "rsyncd", automation },
	{ "rundeck", automation }, { "runner", automation }, { "sales", role },
	{ "salt", automation }, { "salt-master", automation }, { "salt-minion", automation },
	{ "saltstack", automation }, { "samba", service }, { "sample", shared },
	{ "sandbox", shared }, { "scaleway", cloud }, { "secretary", role }, { "security", role },
	{ "semaphore", automation }, { "sensu", automation }, { "server", shared },
	{ "service", automation }, { "service-account", automation }, { "service-desk", role },
	{ "serviceaccount", automation }, { "servicedesk", role }, { "shared", shared },
	{ "shop", role }, { "shutdown", shared }, { "slapd", service }, { "sles", cloud },
	{ "smmsp", service }, { "solr", service }, { "sonar", service }, { "sonarqube", service },
	{ "spacelift", automation }, { "spark", service }, { "spinnaker", automation },
	{ "splunk", automation }, { "splunkfwd", automation }, { "squid", service },
	{ "sshd", service }, { "sssd", service }, { "stackstorm", automation },
	{ "staff", shared }, { "staging", shared }, { "steam", service }, { "student", shared },
	{ "student1", shared }, { "students", shared }, { "su", shared }, { "sudo", shared },
	{ "superuser", shared }, { "supervisor", shared }, { "support", role }, { "suse", cloud },
	{ "svc", automation }, { "svn", service }, { "sybase", service }, { "sync", service },
	{ "syncthing", automation }, { "sys", service }, { "sysadm", shared },
	{ "sysadmin", shared }, { "syslog", service }, { "sysop", shared }, { "system", shared },
	{ "talos", cloud }, { "team", role }, { "teamcity", automation },
	{ "telegraf", automation }, { "temp", shared }, { "temp1", shared },
	{ "temporary", shared }, { "tentacle", automation }, { "terraform", automation },
	{ "test", shared }, { "test-user", shared }, { "test1", shared }, { "test2", shared },
	{ "test3", shared }, { "test_user", shared }, { "tester", shared }, { "testing", shared },
	{ "testuser", shared }, { "testuser1", shared }, { "tftp", service }, { "tmp", shared },
	{ "tmpuser", shared }, { "tomcat", service }, { "tomcat8", service },
	{ "tomcat9", service }, { "toor", shared }, { "tower", automation }, { "trainee", shared },
	{ "trainer", shared }, { "training", shared }, { "tux", shared }, { "uat", shared },
	{ "ubuntu", cloud }, { "unbound", service }, { "unknown", shared }, { "usenet", role },
	{ "user", shared }, { "user-name", shared }, { "user1", shared }, { "user2", shared },
	{ "user3", shared }, { "username", shared }, { "users", shared }, { "uucp", role },
	{ "uwsgi", service }, { "vagrant", cloud }, { "varnish", service },
	{ "vault", automation }, { "vector", automation }, { "veeam", automation },
	{ "visitor", shared }, { "vmail", service }, { "vpn", shared }, { "vsftpd", service },
	{ "vyos", cloud }, { "wasadm", service }, { "wazuh", automation }, { "webadmin", shared },
	{ "weblogic", service }, { "webmaster", role }, { "websphere", service },
	{ "wheel", shared }, { "wildfly", service }, { "woodpecker", automation },
	{ "wordpress", service }, { "workshop", shared }, { "www", role }, { "www-data", service },
	{ "yarn", service }, { "zabbix", automation }, { "zabbix-agent", automation },
	{ "zookeeper", service },
	/* clang-format on */
};

static int compare_name(const void *key, const void *entry)
{
	return strcmp(key, ((const struct name *)entry)->name);
}

/* OS Login gives the user name sa_NUMBER to a service account. */
static bool is_oslogin_service_account(const char *user)
{
	static const char digits[] = "0123456789";

	return str_starts(user, "sa_") && user[3] != '\0' &&
	       strspn(user + 3, digits) == strlen(user + 3);
}

const char *reserved_name_kind(const char *user)
{
	char lower[LONGEST];
	const struct name *found;

	if (str_ends(user, "$") || is_oslogin_service_account(user))
		return machine;
	if (!str_copy(lower, sizeof(lower), user))
		return NULL;
	str_lower(lower);
	found = bsearch(lower, names, ARRAY_SIZE(names), sizeof(names[0]), compare_name);
	return found ? found->group : NULL;
}
