#compdef cloudinvite
# SPDX-License-Identifier: Apache-2.0
# Completion of cloudinvite for zsh. Completes verbs, options and fixed values; never people, since
# the ledger is not every user's to read.

_cloudinvite_verbs() {
	local -a verbs=(
		'status:how it goes: people by state, what waits and why, the programs'
		'explain:why somebody is invited or not, and what happens next'
		'history:what happened, when, why and by whom'
		'approve:releases people who are held'
		'retry:asks again now for people who failed or wait'
		'block:never invites somebody'
		'unblock:takes a block back'
		'forget:erases a person, sightings and history'
		'enable:begins to send'
		'pause:sends and asks nothing until resume'
		'resume:ends the pause'
		'scan:looks at all present accounts of this host now'
		'check:asks whether the address can be invited'
		'get:what Google shows of an invitation'
		'list:all invitations that Google has'
		'send:invites, through ledger, pace and journal'
		'cancel:takes an invitation back'
		'login:lets an administrator log in, and keeps the login'
		'token:what access token there is'
		'setup:sets this host up'
		'doctor:walks every step and names the remedies'
		'config:the effective settings'
		'pam:whether logins are seen; turns that on and off'
		'help:all verbs, or one in detail'
		'emit:writes arrivals, as the useradd hook does'
		'metrics:what Prometheus is told'
		'report:one page with pictures'
	)
	_describe -t verbs verb verbs
}

_cloudinvite_rest() {
	local -a options=('--help[how the verb is used]')
	local json='--json[for machines]' yes='--yes[does not ask]'
	local why='--reason[why, for the next administrator]:text:'

	case $1 in
	status)
		options+=($json '--all[all people]' '--after[the page behind an address]:address:'
			'--state[people in one state]:state:(queued not_invitable sending unconfirmed
				invited accepted declined cancelled held failed gone)'
			'--watch=-[again every N seconds]::seconds:')
		;;
	explain) options+=($json '*:user:_users') ;;
	history | check | get) options+=($json) ;;
	approve)
		options+=($yes '--all[everybody who is held]'
			'--reason[those held for it]:reason:(dry_run discovered collision unconfirmed)')
		;;
	retry) options+=($yes '--all[everybody who failed]') ;;
	block | pause) options+=($why) ;;
	forget) options+=('--block[leaves a block behind]') ;;
	enable) options+=($yes) ;;
	scan) options+=($json $yes '--dry-run[only shows whom they would be mapped to]') ;;
	list)
		options+=($json '--csv[for a spreadsheet]'
			'--state[in one state]:state:(not_yet_sent invited accepted declined)'
			'--order-by[in this order]:order:(email update_time)')
		;;
	send) options+=($json $yes $why '--again[also somebody who was asked before]') ;;
	cancel) options+=($json $yes $why) ;;
	login)
		options+=($json '--client[the OAuth client]:file:_files'
			'--output[where it is kept]:file:_files' '--headless[the last address is pasted]'
			'--no-browser[opens none]' '--port[on 127.0.0.1]:port:'
			'--account[who should log in]:address:')
		;;
	token) options+=($json '--print[the token itself]') ;;
	doctor) options+=($json '--offline[asks nothing of the network]') ;;
	config) options+=($json '--check[everything that is wrong]') ;;
	setup)
		options+=($json $yes '--dry-run[writes nothing]' '--customer[the organisation]:id:'
			'--domain[its domains]:names:' '--address[of a user]:rule:({user}@)'
			'--credentials[the file, or metadata:]:file:_files'
			'--install-credentials[copies it for the service]'
			'--service-account[who signs, with metadata:]:address:'
			'--subject[the administrator to act as]:address:' '--hosts[how many]:number:'
			'--requests-per-minute[all hosts together]:number:'
			'--sends-per-day[all hosts together]:number:' '--pam[turns on PAM]'
			'--no-pam[leaves PAM alone]' '--no-check[asks nothing of Google]'
			'--wait[for a delegation]:minutes:'
			'--guide=-[only what to click and paste]::way:(keyless key login)')
		;;
	pam)
		options+=($json $yes '--dry-run[only shows the change]'
			'1:action:(status enable disable)')
		;;
	help) options+=('1:verb:_cloudinvite_verbs') ;;
	emit)
		options+=('--reason[of the arrival]:reason:(login created deleted asked)' '*:user:_users')
		;;
	metrics) options+=('--format[of the page]:format:(openmetrics text)') ;;
	report)
		options+=('--output[where it is written]:file:_files'
			'--mode[who may read that file]:mode:(600 640 644)'
			'--weeks[so many are shown]:number:' '--people[names those who are stuck]')
		;;
	esac
	_arguments $options
}

_cloudinvite() {
	local curcontext=$curcontext state line
	local -A opt_args

	_arguments -C '(-c --config)'{-c,--config}'[these settings]:file:_files' \
		'(- *)'{-h,--help}'[all verbs]' '(- *)'{-V,--version}'[the version]' \
		'1:verb:_cloudinvite_verbs' '*::argument:->rest'
	[[ $state == rest ]] && _cloudinvite_rest $words[1]
}

_cloudinvite "$@"
