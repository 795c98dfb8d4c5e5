# SPDX-License-Identifier: Apache-2.0
# Completion of cloudinvite for bash. Completes verbs, options and fixed values; never people,
# because not every user may read the ledger.

_cloudinvite_options() {
	case $1 in
	status) echo "--json --all --after --state --watch" ;;
	explain | history | check | get) echo "--json" ;;
	approve) echo "--all --reason --yes" ;;
	retry) echo "--all --yes" ;;
	block | pause) echo "--reason" ;;
	forget) echo "--block" ;;
	enable) echo "--yes --approve" ;;
	list) echo "--state --order-by --json --csv" ;;
	send) echo "--resend --reason --json --yes" ;;
	cancel) echo "--reason --json --yes" ;;
	emit) echo "--trigger" ;;
	metrics) echo "--format" ;;
	report) echo "--output --mode --weeks --people" ;;
	scan) echo "--dry-run --json --yes" ;;
	login) echo "--client --headless --no-browser --port --account --output --json" ;;
	token) echo "--json --print" ;;
	config) echo "--check --json" ;;
	doctor) echo "--offline --json" ;;
	pam) echo "--dry-run --yes --json" ;;
	setup)
		echo "--customer --domain --address --credentials --install-credentials" \
			"--service-account --subject --hosts --requests-per-minute --sends-per-day" \
			"--pam --no-pam --no-check --wait --guide --dry-run --yes --json"
		;;
	esac
}

_cloudinvite_values() {
	case $1:$2 in
	status:--state)
		echo "queued not_invitable sending unconfirmed invited accepted declined cancelled" \
			"held failed gone"
		;;
	list:--state) echo "not_yet_sent invited accepted declined" ;;
	list:--order-by) echo "email update_time" ;;
	approve:--reason) echo "dry_run discovered address_changed collision unconfirmed" ;;
	emit:--trigger) echo "login created deleted manual" ;;
	esac
}

_cloudinvite() {
	local verbs="status explain history approve retry block unblock forget enable pause resume
		scan check get list send cancel login token setup doctor config pam emit metrics report help"
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local verb="" i words

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c | --config) ((i++)) ;;
		-*) ;;
		*)
			verb=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	if [[ -z $verb && ($previous == -c || $previous == --config) ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
	fi
	if [[ $verb:$previous == @(login:--client|login:--output|report:--output|setup:--credentials) ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
	fi
	words=$(_cloudinvite_values "$verb" "$previous")
	if [[ -z $words ]]; then
		case $verb:$current in
		:-*) words="-c --config --help --version" ;;
		:* | help:*) words=$verbs ;;
		pam:[!-]* | pam:) words="status enable disable" ;;
		*:-*) words="$(_cloudinvite_options "$verb") --help" ;;
		*:*)
			if [[ $verb == explain || $verb == emit ]]; then
				mapfile -t COMPREPLY < <(compgen -u -- "$current")
			fi
			return
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _cloudinvite cloudinvite
