# SPDX-License-Identifier: Apache-2.0
# Completion of cloudinvite for fish. Completes verbs, options and fixed values; never people,
# because not every user may read the ledger.

# The words after the program's own options; the verb is the first of them.
function __cloudinvite_verb
    set -l words (commandline -opc)[2..-1]
    while set -q words[1]
        switch $words[1]
            case -c --config
                set -e words[1]
            case '-*'
            case '*'
                echo $words[1]
                return
        end
        set -q words[1]; and set -e words[1]
    end
    return 1
end

function __cloudinvite_in
    set -l verb (__cloudinvite_verb); and contains -- $verb $argv
end

complete -c cloudinvite -f
complete -c cloudinvite -n 'not __cloudinvite_verb' -s c -l config -r -F -d 'the settings file'
complete -c cloudinvite -n 'not __cloudinvite_verb' -s V -l version -d 'show the version'
complete -c cloudinvite -s h -l help -d 'show usage'

set -l verbs \
    status 'people by state, what is waiting and why, the programs' \
    explain 'why a person is invited or not, and what happens next' \
    history 'what happened, when, why and who did it' \
    approve 'release held people' \
    retry 'try again now for people who failed or are waiting' \
    block 'never invite a person' \
    unblock 'remove a block' \
    forget 'erase a person with accounts and history' \
    enable 'start sending' \
    pause 'stop all requests and invitations until resume' \
    resume 'end the pause' \
    scan 'process all existing accounts of this host now' \
    check 'ask Google whether an address can be invited' \
    get 'show an invitation as Google has it' \
    list 'list all invitations that Google has' \
    send 'invite people now, within the limits' \
    cancel 'cancel an invitation' \
    login 'log in as an administrator and store the login' \
    token 'show the access token' \
    setup 'configure this host' \
    doctor 'check every step, with remedies' \
    config 'show the effective settings' \
    pam 'show whether logins are monitored; turn it on or off' \
    help 'show all verbs, or one in detail' \
    emit 'write arrivals, as the useradd hook does' \
    metrics 'print metrics for Prometheus' \
    report 'write a web page with charts'
for i in (seq 1 2 (count $verbs))
    complete -c cloudinvite -n 'not __cloudinvite_verb; or __cloudinvite_in help' \
        -a $verbs[$i] -d $verbs[(math $i + 1)]
end

set -l json status explain history scan check get list send cancel login token setup doctor config pam
complete -c cloudinvite -n "__cloudinvite_in $json" -l json -d 'print JSON'
complete -c cloudinvite -n '__cloudinvite_in approve retry enable scan send cancel setup pam' -l yes -d 'do not ask for confirmation'
complete -c cloudinvite -n '__cloudinvite_in block pause send cancel' -l reason -x -d 'why, for the next administrator'

complete -c cloudinvite -n '__cloudinvite_in status' -l all -d 'show all people'
complete -c cloudinvite -n '__cloudinvite_in status' -l after -x -d 'the page that follows this address'
complete -c cloudinvite -n '__cloudinvite_in status' -l watch -d 'repeat every N seconds'
complete -c cloudinvite -n '__cloudinvite_in status' -l state -x -d 'people in one state' \
    -a 'queued not_invitable sending unconfirmed invited accepted declined cancelled held failed gone'
complete -c cloudinvite -n '__cloudinvite_in approve' -l all -d 'everyone who is held'
complete -c cloudinvite -n '__cloudinvite_in approve' -l reason -x -d 'people held for this reason' \
    -a 'dry_run discovered address_changed collision unconfirmed'
complete -c cloudinvite -n '__cloudinvite_in retry' -l all -d 'everyone who failed'
complete -c cloudinvite -n '__cloudinvite_in forget' -l block -d 'leave a block behind'
complete -c cloudinvite -n '__cloudinvite_in scan' -l dry-run -d 'only show the address of each account'
complete -c cloudinvite -n '__cloudinvite_in setup' -l dry-run -d 'write nothing'
complete -c cloudinvite -n '__cloudinvite_in setup' -l customer -x -d 'the customer ID'
complete -c cloudinvite -n '__cloudinvite_in setup' -l domain -x -d 'the domains of the organisation'
complete -c cloudinvite -n '__cloudinvite_in setup' -l address -x -d 'the address of a user'
complete -c cloudinvite -n '__cloudinvite_in setup' -l credentials -r -F -d 'the file, or metadata:'
complete -c cloudinvite -n '__cloudinvite_in setup' -l install-credentials -d 'copy it for the service'
complete -c cloudinvite -n '__cloudinvite_in setup' -l service-account -x -d 'the service account that signs, with metadata:'
complete -c cloudinvite -n '__cloudinvite_in setup' -l subject -x -d 'the administrator to act as'
complete -c cloudinvite -n '__cloudinvite_in setup' -l hosts -x -d 'number of hosts'
complete -c cloudinvite -n '__cloudinvite_in setup' -l requests-per-minute -x -d 'limit of all hosts together'
complete -c cloudinvite -n '__cloudinvite_in setup' -l sends-per-day -x -d 'limit of all hosts together'
complete -c cloudinvite -n '__cloudinvite_in setup' -l pam -d 'change PAM'
complete -c cloudinvite -n '__cloudinvite_in setup' -l no-pam -d 'leave PAM alone'
complete -c cloudinvite -n '__cloudinvite_in setup' -l no-check -d 'do not contact Google'
complete -c cloudinvite -n '__cloudinvite_in setup' -l wait -x -d 'minutes to wait for the delegation'
complete -c cloudinvite -n '__cloudinvite_in setup' -l guide -d 'only show what to click and paste'
complete -c cloudinvite -n '__cloudinvite_in pam' -l dry-run -d 'only show the change'
complete -c cloudinvite -n '__cloudinvite_in enable' -l approve -d 'also invite the people held for the dry run'
complete -c cloudinvite -n '__cloudinvite_in pam' -a 'status enable disable'
complete -c cloudinvite -n '__cloudinvite_in list' -l csv -d 'print CSV'
complete -c cloudinvite -n '__cloudinvite_in list' -l state -x -d 'invitations in one state' \
    -a 'not_yet_sent invited accepted declined'
complete -c cloudinvite -n '__cloudinvite_in list' -l order-by -x -d 'sort by' -a 'email update_time'
complete -c cloudinvite -n '__cloudinvite_in send' -l resend -d 'include people who were invited before'
complete -c cloudinvite -n '__cloudinvite_in login' -l client -r -F -d 'the OAuth client file'
complete -c cloudinvite -n '__cloudinvite_in login' -l output -r -F -d 'where to store the login'
complete -c cloudinvite -n '__cloudinvite_in login' -l headless -d 'you paste the last address'
complete -c cloudinvite -n '__cloudinvite_in login' -l no-browser -d 'do not open a browser'
complete -c cloudinvite -n '__cloudinvite_in login' -l port -x -d 'the port at 127.0.0.1'
complete -c cloudinvite -n '__cloudinvite_in login' -l account -x -d 'the account that should log in'
complete -c cloudinvite -n '__cloudinvite_in token' -l print -d 'print the token'
complete -c cloudinvite -n '__cloudinvite_in doctor' -l offline -d 'do not use the network'
complete -c cloudinvite -n '__cloudinvite_in config' -l check -d 'report everything that is wrong'
complete -c cloudinvite -n '__cloudinvite_in emit' -l trigger -x -d 'the trigger of the arrival' \
    -a 'login created deleted manual'
complete -c cloudinvite -n '__cloudinvite_in emit explain' -a '(__fish_complete_users)'
complete -c cloudinvite -n '__cloudinvite_in metrics' -l format -x -d 'the format' \
    -a 'openmetrics text'
complete -c cloudinvite -n '__cloudinvite_in report' -l output -r -F -d 'where to write it'
complete -c cloudinvite -n '__cloudinvite_in report' -l mode -x -d 'permissions of the file' -a '600 640 644'
complete -c cloudinvite -n '__cloudinvite_in report' -l weeks -x -d 'how many weeks to show'
complete -c cloudinvite -n '__cloudinvite_in report' -l people -d 'name the people who are stuck'
