import AiboxSystem

/// A syslog server. What it got cannot be asked back: somebody has to look at its own records, and hand a checkpoint
/// from there to `aibox audit verify --from-checkpoint`.
struct SyslogPlace: CheckpointPlace {
    let address: SinkAddress

    func recall(_ log: PlacedLog, isAudit: Bool) -> PlaceMemory? { nil }

    func add(_ log: PlacedLog) throws(AiboxError) {
        guard let newest = log.newest else { return }
        try TLSTransport().send(SinkMessage.syslog(newest, of: log.identity), to: address)
    }
}
