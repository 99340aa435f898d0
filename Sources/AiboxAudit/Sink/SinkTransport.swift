import AiboxCrypto
import AiboxSystem
import AiboxWire

/// Sends one batch; returns once the other side has it.
protocol SinkTransport: Sendable {
    /// - Returns: a word about what the sink did not want, where it says so.
    func send(_ records: [AuditRecord], to address: SinkAddress) throws(AiboxError) -> String?
}

struct TLSTransport: SinkTransport {
    var timeout: Duration = .seconds(10)

    func send(_ records: [AuditRecord], to address: SinkAddress) throws(AiboxError) -> String? {
        switch address.kind {
        case .syslog:
            // Syslog has no answer. A connection a batch, ended in order, is the next best: who closes it has read it.
            try send(SinkMessage.syslog(records), to: address)
            return nil
        case .https:
            try post(SinkMessage.lines(records), "application/x-ndjson", records, address)
            return nil
        case .otlp:
            let answer = try post(SinkMessage.otlp(records), "application/json", records, address)
            let rejected = (try? JSONParser.parse(answer))?["partialSuccess"]?["rejectedLogRecords"]
            let count = rejected?.wholeNumber ?? rejected?.stringValue.flatMap { Int64($0) } ?? 0
            return count > 0
                ? "it rejected \(count) of events \(records.first?.sequence ?? 0) to \(records.last?.sequence ?? 0)"
                : nil
        }
    }

    /// Sends frames of syslog, and returns once the server has ended the connection in order.
    func send(_ frames: [UInt8], to address: SinkAddress) throws(AiboxError) {
        let connection = try TLSConnection(
            host: address.host, port: address.port, authorities: address.authorities, timeout: timeout)
        try connection.write(frames)
        try connection.finish()
    }

    /// Returns the body of a 2xx answer.
    @discardableResult
    private func post(
        _ body: [UInt8], _ type: String, _ records: [AuditRecord], _ address: SinkAddress
    ) throws(AiboxError) -> [UInt8] {
        var headers = [
            ("User-Agent", "aibox-audit"), ("Content-Type", type),
            ("Aibox-First-Seq", "\(records.first?.sequence ?? 0)"),
            ("Aibox-Last-Seq", "\(records.last?.sequence ?? 0)"),
        ]
        if let file = address.tokenFile {
            headers.append(
                ("Authorization", "Bearer " + (try File.text(file, limit: 65_536)).filter { !$0.isWhitespace }))
        }
        let exchange = HTTPSExchange(
            host: address.host, port: address.port, authorities: address.authorities, timeout: timeout)
        let answer = try exchange.send("POST", address.path, headers: headers, body: body)
        if (200..<300).contains(answer.status) { return answer.body }
        throw AiboxError(
            .failed, "cannot send audit events to \(address.text)", why: "it answers with status \(answer.status)")
    }
}
