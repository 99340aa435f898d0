/// A pipeline for Vector (vector.dev): what aibox writes on a machine, on its way to where it is kept.
///
/// The lines of the audit log stay whole in `.line`, so that number, link and MAC can be checked at the other end.
enum VectorPipeline {
    static func text(stateFolder: String) -> String {
        """
        # Made by: aibox monitor generate. Choose the sinks you have and remove the others; each names what it needs.
        data_dir: /var/lib/vector

        sources:
          audit:
            type: file
            include: [\(quoted(stateFolder + "/audit/events-*.jsonl"))]
            # A file of events is never cut; it is followed by the next.
            ignore_checkpoints: false
            max_line_bytes: 524288
          gateway:
            type: file
            include: [\(quoted(stateFolder + "/sandboxes/*/gateway.log"))]
          falco:
            type: file
            include: [/var/log/falco/events.json]
          system:
            type: journald
            include_matches:
              _COMM: [podman, conmon, aibox-gateway, unbound, squid]

        transforms:
          audit_events:
            type: remap
            inputs: [audit]
            source: |
              .line = .message
              .event = parse_json!(string!(.message))
              .timestamp = parse_timestamp!(string!(.event.time), "%+")
              .severity = .event.severity
              del(.message)
          gateway_lines:
            type: remap
            inputs: [gateway, system]
            source: |
              .event = {"type": "gateway.log", "subject": .message}
              .severity = "info"
          falco_alerts:
            type: remap
            inputs: [falco]
            source: |
              .event = parse_json!(string!(.message))
              .severity = "high"
          severe:
            type: filter
            inputs: [audit_events, falco_alerts]
            condition: '.severity == "high" || .severity == "critical"'

        sinks:
          elasticsearch:
            type: elasticsearch
            inputs: [audit_events, falco_alerts, gateway_lines]
            endpoints: ["${ELASTICSEARCH_URL}"]
            mode: bulk
            bulk:
              index: "aibox-%Y.%m.%d"
            buffer: {type: disk, max_size: 524288000, when_full: block}
          splunk:
            type: splunk_hec_logs
            inputs: [audit_events, falco_alerts]
            endpoint: "${SPLUNK_HEC_URL}"
            default_token: "${SPLUNK_HEC_TOKEN}"
            encoding: {codec: json}
            acknowledgements: {enabled: true}
          archive:
            type: aws_s3
            inputs: [audit_events]
            bucket: "${AUDIT_BUCKET}"
            region: "${AWS_REGION}"
            key_prefix: "aibox/%Y/%m/%d/"
            compression: gzip
            encoding: {codec: json}
            framing: {method: newline_delimited}
          syslog:
            type: socket
            inputs: [severe]
            mode: tcp
            address: "${SYSLOG_ADDRESS}"
            tls: {enabled: true}
            encoding: {codec: json}
            framing: {method: newline_delimited}

        """
    }

    private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
}
