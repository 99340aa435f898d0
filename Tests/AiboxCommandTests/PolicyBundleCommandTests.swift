import AiboxSystem
import Testing

@Suite("Signed bundles, as a person sees them")
struct PolicyBundleCommandTests {
    private let command: BuiltCommand

    init() throws { command = try BuiltCommand() }

    /// A machine whose organisation has a bundle at `$2/org.tar.gz`; `bundle VERSION EXPIRES` publishes one.
    private static let machine = """
        mkdir "$2/etc" "$2/b" "$2/project"
        cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache "$2/etc"
        cp -r /etc/ssl "$2/etc"
        mount --bind "$2/etc" /etc
        mkdir /etc/aibox
        openssl genpkey -algorithm ed25519 -out "$2/key" && openssl pkey -in "$2/key" -pubout -out /etc/aibox/org.pub
        printf 'policy:\\n  org_bundle_url: %s/org.tar.gz\\n  org_bundle_keys: [/etc/aibox/org.pub]\\n' "$2" \
            > /etc/aibox/config.yaml
        printf 'version: 1\\nruntime: {engine: gvisor}\\n' > "$2/b/policy.yaml"
        aibox=$1 folder=$2
        bundle() {
            printf '{"revision":"r%s","metadata":{"aibox":{"layer":"org","version":%s,"expires":"%s"}}}' "$1" "$1" "$2" \
                > "$folder/b/.manifest"
            "$aibox" policy bundle "$folder/b" --key "$folder/key" --to "$folder/org.tar.gz" > "$folder/made"
        }
        # expect STATUS WORDS COMMAND...: its status, and what it says on either output.
        expect() {
            status=0
            "$aibox" $3 > "$folder/said" 2>&1 || status=$?
            if [ $status != "$1" ] || ! grep -qF -- "$2" "$folder/said"; then
                echo "aibox $3: $status"
                cat "$folder/said"
                exit 90
            fi
        }

        """

    private func run(_ script: String) throws {
        let result = try command.runIsolated(Self.machine + script + "\nexit 0\n")
        #expect(result.termination == .exited(0), "\(result.text)\n\(result.errorText)")
    }

    @Test(
        "a bundle is the organisation's policy: fetched by pull or start, shown by status, its lines in every message")
    func policy() throws {
        try run(
            """
            printf 'package aibox.org\\n\\ndeny contains {"rule": "night", "reason": "not at night"} if input.action == "start"\\n' \
                > "$2/b/own.rego"
            expect 2 'was never fetched' 'policy status'
            expect 2 'was never fetched' 'policy validate'
            expect 2 'was never fetched: cannot read' "start -w $2/project"
            expect 1 'cannot read' 'policy pull'
            bundle 7 2099-01-01T00:00:00Z
            expect 2 'night (org, bundle org v7: own.rego:3): not at night' "start -w $2/project"
            expect 0 'fresh' 'policy status'
            expect 0 '"version": 7' 'policy status -o json'
            expect 0 'bundle org v7: policy.yaml:2' 'policy show --origin'
            expect 0 'The policies are valid: bundle org v7: policy.yaml.' 'policy validate'
            expect 0 'deny' 'policy why net example.com'
            bundle 8 2099-01-01T00:00:00Z
            expect 0 'true' 'policy pull --layer org'
            bundle 7 2099-01-01T00:00:00Z
            expect 2 '(rollback)' 'policy pull'
            expect 0 'stale' 'policy status'
            expect 2 'could not be renewed' "start -w $2/project"
            expect 2 'bundle org v8: own.rego:3' "start -w $2/project"
            expect 1 'there is no bundle to fetch' 'policy pull --layer team'
            expect 64 'org' 'policy pull --layer project'
            expect 0 'bundle version 8' 'audit search --type policy.change -o jsonl'
            expect 0 '(rollback)' 'audit search --type policy.change -o jsonl'
            expect 0 '' 'audit verify'
            rm /etc/aibox/org.pub
            expect 1 'compared with no place beside this machine' 'audit verify'
            expect 1 'events' 'audit verify'
            """)
    }

    @Test("an expired bundle refuses the start with status 2, is audited, and leaves the log verifiable")
    func expired() throws {
        try run(
            """
            bundle 1 "$(date -u -d '+2 seconds' +%Y-%m-%dT%H:%M:%SZ)"
            expect 0 'true' 'policy pull'
            sleep 2.1
            expect 2 'it expired at' "start -w $2/project"
            expect 2 'it expired at' 'policy status'
            expect 2 'it expired at' 'policy validate'
            expect 0 'it expired at' 'audit search --type policy.deny -o jsonl'
            expect 0 '' 'audit verify'
            expect 2 'would expire' "policy bundle $2/b --key $2/key --to $2/other"
            ln -s "$2/b" "$2/link"
            expect 64 'would lie in the folder it is made of' "policy bundle $2/b --key $2/key --to $2/b/x.tgz"
            expect 64 'would lie in the folder it is made of' "policy bundle $2/b --key $2/key --to $2/link/x.tgz"
            rm "$2/link"
            test ! -e "$2/b/x.tgz"
            [ ! -e "$2/other" ]
            bundle 2 2099-01-01T00:00:00Z
            expect 0 'true' 'policy pull'
            expect 0 'valid' 'policy validate'
            """)
    }

    @Test("no setting of a user's names the organisation's bundle, or another than the machine's")
    func settings() throws {
        try run(
            """
            bundle 1 2099-01-01T00:00:00Z
            expect 0 'true' 'policy pull'
            mkdir -p "$XDG_CONFIG_HOME/aibox"
            user="$XDG_CONFIG_HOME/aibox/config.yaml"
            for line in 'org_bundle_url: /other' 'org_bundle_url: ""' 'org_bundle_keys: [/other]' 'org_bundle_keys: []'; do
                printf 'policy:\\n  %s\\n' "$line" > "$user"
                expect 2 'is set in /etc/aibox/config.yaml only' 'policy validate'
                expect 2 'is set in /etc/aibox/config.yaml only' "start -w $2/project"
                expect 2 'is set in /etc/aibox/config.yaml only' 'policy pull'
            done
            rm "$user"
            expect 2 'it is set in /etc/aibox/config.yaml only' 'config set policy.org_bundle_url /other'
            printf 'policy:\\n  org_baseline_path: /other\\n' > "$user"
            expect 0 'bundle org v1' 'policy validate'
            printf '  team_bundle_url: /t\\n  team_bundle_keys: [/k]\\n' >> /etc/aibox/config.yaml
            printf 'policy:\\n  team_bundle_keys: [/mine]\\n' > "$user"
            expect 2 'policy.team_bundle_keys is set in /etc/aibox/config.yaml only' 'policy validate'
            rm "$user"
            expect 2 "the team's bundle was never fetched" 'policy validate'
            printf 'version: 1\\n' > "$2/o.yaml"
            rm /etc/aibox/config.yaml
            printf 'policy:\\n  org_bundle_url: %s/org.tar.gz\\n  org_bundle_keys: [%s]\\n' "$2" /etc/aibox/org.pub > "$user"
            expect 2 'is set in /etc/aibox/config.yaml only' 'policy status'
            """)
    }
}
