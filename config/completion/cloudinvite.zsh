#compdef cloudinvite
# SPDX-License-Identifier: Apache-2.0
# Completion of cloudinvite for zsh. Completes verbs, options and fixed values; never people,
# because not every user may read the ledger.

_cloudinvite_verbs() {
	local -a verbs=(
		'status:people by state, what is waiting and why, the programs'
		'explain:why a person is invited or not, and what happens next'
		'history:what happened, when, why and who did it'
		'approve:release held people'
		'retry:try again now for people who failed or are waiting'
		'block:never invite a person'
		'unblock:remove a block'
		'forget:erase a person with accounts and history'
		'enable:start sending'
		'pause:stop all requests and invitations until resume'
		'resume:end the pause'
		'scan:process all existing accounts of this host now'
		'check:ask Google whether an address can be invited'
		'get:show an invitation as Google has it'
		'list:list all invitations that Google has'
		'send:invite people now, within the limits'
		'cancel:cancel an invitation'
		'login:log in as an administrator and store the login'
		'token:show the access token'
		'setup:configure this host'
		'doctor:check every step, with remedies'
		'config:show the effective settings'
		'pam:show whether logins are monitored; turn it on or off'
		'help:show all verbs, or one in detail'
		'emit:write arrivals, as the useradd hook does'
		'metrics:print metrics for Prometheus'
		'report:write a web page with charts'
	)
	_describe -t verbs verb verbs
}

_cloudinvite_rest() {
	local -a options=('--help[show usage]')
	local json='--json[print JSON]' yes='--yes[do not ask for confirmation]'
	local why='--reason[why, for the next administrator]:text:'

	case $1 in
	status)
		options+=($json '--all[show all people]' '--after[the page that follows this address]:address:'
			'--state[people in one state]:state:(queued not_invitable sending unconfirmed
				invited accepted declined cancelled held failed gone)'
			'--watch=-[repeat every N seconds]::seconds:')
		;;
	explain) options+=($json '*:user:_users') ;;
	history | check | get) options+=($json) ;;
	approve)
		options+=($yes '--all[everyone who is held]'
			'--reason[people held for this reason]:reason:(dry_run discovered address_changed collision unconfirmed)')
		;;
	retry) options+=($yes '--all[everyone who failed]') ;;
	block | pause) options+=($why) ;;
	forget) options+=('--block[leave a block behind]') ;;
	enable) options+=($yes '--approve[also invite the people held for the dry run]') ;;
	scan) options+=($json $yes '--dry-run[only show the address of each account]') ;;
	list)
		options+=($json '--csv[print CSV]'
			'--state[invitations in one state]:state:(not_yet_sent invited accepted declined)'
			'--order-by[sort by]:order:(email update_time)')
		;;
	send) options+=($json $yes $why '--resend[include people who were invited before]') ;;
	cancel) options+=($json $yes $why) ;;
	login)
		options+=($json '--client[the OAuth client file]:file:_files'
			'--output[where to store the login]:file:_files' '--headless[you paste the last address]'
			'--no-browser[do not open a browser]' '--port[the port at 127.0.0.1]:port:'
			'--account[the account that should log in]:address:')
		;;
	token) options+=($json '--print[print the token]') ;;
	doctor) options+=($json '--offline[do not use the network]') ;;
	config) options+=($json '--check[report everything that is wrong]') ;;
	setup)
		options+=($json $yes '--dry-run[write nothing]' '--customer[the customer ID]:id:'
			'--domain[the domains of the organisation]:names:' '--address[the address of a user]:rule:({user}@)'
			'--credentials[the file, or metadata:]:file:_files'
			'--install-credentials[copy it for the service]'
			'--service-account[the service account that signs, with metadata:]:address:'
			'--subject[the administrator to act as]:address:' '--hosts[number of hosts]:number:'
			'--requests-per-minute[limit of all hosts together]:number:'
			'--sends-per-day[limit of all hosts together]:number:' '--pam[change PAM]'
			'--no-pam[leave PAM alone]' '--no-check[do not contact Google]'
			'--wait[time to wait for the delegation]:minutes:'
			'--guide=-[only show what to click and paste]::way:(keyless key login)')
		;;
	pam)
		options+=($json $yes '--dry-run[only show the change]'
			'1:action:(status enable disable)')
		;;
	help) options+=('1:verb:_cloudinvite_verbs') ;;
	emit)
		options+=('--trigger[the trigger of the arrival]:trigger:(login created deleted manual)' '*:user:_users')
		;;
	metrics) options+=('--format[the format]:format:(openmetrics text)') ;;
	report)
		options+=('--output[where to write it]:file:_files'
			'--mode[permissions of the file]:mode:(600 640 644)'
			'--weeks[how many weeks to show]:number:' '--people[name the people who are stuck]')
		;;
	esac
	_arguments $options
}

_cloudinvite() {
	local curcontext=$curcontext state line
	local -A opt_args

	_arguments -C '(-c --config)'{-c,--config}'[the settings file]:file:_files' \
		'(- *)'{-h,--help}'[show all verbs]' '(- *)'{-V,--version}'[show the version]' \
		'1:verb:_cloudinvite_verbs' '*::argument:->rest'
	[[ $state == rest ]] && _cloudinvite_rest $words[1]
}

_cloudinvite "$@"
