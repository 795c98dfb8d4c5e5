# SPDX-License-Identifier: Apache-2.0
# Completion of cloudinvite for fish. Completes verbs, options and fixed values; never people, since
# the ledger is not every user's to read.

# The words behind the program's own options: the verb is the first of them.
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
complete -c cloudinvite -n 'not __cloudinvite_verb' -s c -l config -r -F -d 'these settings'
complete -c cloudinvite -n 'not __cloudinvite_verb' -s V -l version -d 'the version'
complete -c cloudinvite -s h -l help -d 'how it is used'

set -l verbs \
    status 'how it goes: people by state, what waits and why, the programs' \
    explain 'why somebody is invited or not, and what happens next' \
    history 'what happened, when, why and by whom' \
    approve 'releases people who are held' \
    retry 'asks again now for people who failed or wait' \
    block 'never invites somebody' \
    unblock 'takes a block back' \
    forget 'erases a person, sightings and history' \
    enable 'begins to send' \
    pause 'sends and asks nothing until resume' \
    resume 'ends the pause' \
    scan 'looks at all present accounts of this host now' \
    check 'asks whether the address can be invited' \
    get 'what Google shows of an invitation' \
    list 'all invitations that Google has' \
    send 'invites, through ledger, pace and journal' \
    cancel 'takes an invitation back' \
    login 'lets an administrator log in, and keeps the login' \
    token 'what access token there is' \
    setup 'sets this host up' \
    doctor 'walks every step and names the remedies' \
    config 'the effective settings' \
    pam 'whether logins are seen; turns that on and off' \
    help 'all verbs, or one in detail' \
    emit 'writes arrivals, as the useradd hook does' \
    metrics 'what Prometheus is told' \
    report 'one page with pictures'
for i in (seq 1 2 (count $verbs))
    complete -c cloudinvite -n 'not __cloudinvite_verb; or __cloudinvite_in help' \
        -a $verbs[$i] -d $verbs[(math $i + 1)]
end

set -l json status explain history scan check get list send cancel login token setup doctor config pam
complete -c cloudinvite -n "__cloudinvite_in $json" -l json -d 'for machines'
complete -c cloudinvite -n '__cloudinvite_in approve retry enable scan send cancel setup pam' -l yes -d 'does not ask'
complete -c cloudinvite -n '__cloudinvite_in block pause send cancel' -l reason -x -d 'why, for the next administrator'

complete -c cloudinvite -n '__cloudinvite_in status' -l all -d 'all people'
complete -c cloudinvite -n '__cloudinvite_in status' -l after -x -d 'the page behind an address'
complete -c cloudinvite -n '__cloudinvite_in status' -l watch -d 'again every N seconds'
complete -c cloudinvite -n '__cloudinvite_in status' -l state -x -d 'people in one state' \
    -a 'queued not_invitable sending unconfirmed invited accepted declined cancelled held failed gone'
complete -c cloudinvite -n '__cloudinvite_in approve' -l all -d 'everybody who is held'
complete -c cloudinvite -n '__cloudinvite_in approve' -l reason -x -d 'those held for it' \
    -a 'dry_run discovered collision unconfirmed'
complete -c cloudinvite -n '__cloudinvite_in retry' -l all -d 'everybody who failed'
complete -c cloudinvite -n '__cloudinvite_in forget' -l block -d 'leaves a block behind'
complete -c cloudinvite -n '__cloudinvite_in scan' -l dry-run -d 'only shows whom they would be mapped to'
complete -c cloudinvite -n '__cloudinvite_in setup' -l dry-run -d 'writes nothing'
complete -c cloudinvite -n '__cloudinvite_in setup' -l customer -x -d 'the organisation'
complete -c cloudinvite -n '__cloudinvite_in setup' -l domain -x -d 'its domains'
complete -c cloudinvite -n '__cloudinvite_in setup' -l address -x -d 'of a user'
complete -c cloudinvite -n '__cloudinvite_in setup' -l credentials -r -F -d 'the file, or metadata:'
complete -c cloudinvite -n '__cloudinvite_in setup' -l install-credentials -d 'copies it for the service'
complete -c cloudinvite -n '__cloudinvite_in setup' -l service-account -x -d 'who signs, with metadata:'
complete -c cloudinvite -n '__cloudinvite_in setup' -l subject -x -d 'the administrator to act as'
complete -c cloudinvite -n '__cloudinvite_in setup' -l hosts -x -d 'how many'
complete -c cloudinvite -n '__cloudinvite_in setup' -l requests-per-minute -x -d 'all hosts together'
complete -c cloudinvite -n '__cloudinvite_in setup' -l sends-per-day -x -d 'all hosts together'
complete -c cloudinvite -n '__cloudinvite_in setup' -l pam -d 'turns on PAM'
complete -c cloudinvite -n '__cloudinvite_in setup' -l no-pam -d 'leaves PAM alone'
complete -c cloudinvite -n '__cloudinvite_in setup' -l no-check -d 'asks nothing of Google'
complete -c cloudinvite -n '__cloudinvite_in setup' -l wait -x -d 'minutes, for a delegation'
complete -c cloudinvite -n '__cloudinvite_in setup' -l guide -d 'only what to click and paste'
complete -c cloudinvite -n '__cloudinvite_in pam' -l dry-run -d 'only shows the change'
complete -c cloudinvite -n '__cloudinvite_in pam' -a 'status enable disable'
complete -c cloudinvite -n '__cloudinvite_in list' -l csv -d 'for a spreadsheet'
complete -c cloudinvite -n '__cloudinvite_in list' -l state -x -d 'in one state' \
    -a 'not_yet_sent invited accepted declined'
complete -c cloudinvite -n '__cloudinvite_in list' -l order-by -x -d 'in this order' -a 'email update_time'
complete -c cloudinvite -n '__cloudinvite_in send' -l again -d 'also somebody who was asked before'
complete -c cloudinvite -n '__cloudinvite_in login' -l client -r -F -d 'the OAuth client'
complete -c cloudinvite -n '__cloudinvite_in login' -l output -r -F -d 'where it is kept'
complete -c cloudinvite -n '__cloudinvite_in login' -l headless -d 'the last address is pasted'
complete -c cloudinvite -n '__cloudinvite_in login' -l no-browser -d 'opens none'
complete -c cloudinvite -n '__cloudinvite_in login' -l port -x -d 'on 127.0.0.1'
complete -c cloudinvite -n '__cloudinvite_in login' -l account -x -d 'who should log in'
complete -c cloudinvite -n '__cloudinvite_in token' -l print -d 'the token itself'
complete -c cloudinvite -n '__cloudinvite_in doctor' -l offline -d 'asks nothing of the network'
complete -c cloudinvite -n '__cloudinvite_in config' -l check -d 'everything that is wrong'
complete -c cloudinvite -n '__cloudinvite_in emit' -l reason -x -d 'of the arrival' \
    -a 'login created deleted asked'
complete -c cloudinvite -n '__cloudinvite_in emit explain' -a '(__fish_complete_users)'
complete -c cloudinvite -n '__cloudinvite_in metrics' -l format -x -d 'of the page' \
    -a 'openmetrics text'
complete -c cloudinvite -n '__cloudinvite_in report' -l output -r -F -d 'where it is written'
complete -c cloudinvite -n '__cloudinvite_in report' -l mode -x -d 'who may read it' -a '600 640 644'
complete -c cloudinvite -n '__cloudinvite_in report' -l weeks -x -d 'so many are shown'
complete -c cloudinvite -n '__cloudinvite_in report' -l people -d 'names those who are stuck'
