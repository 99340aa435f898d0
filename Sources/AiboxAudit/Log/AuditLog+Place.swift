public import AiboxWire

extension AuditLog.Options {
    /// As the starting command told a daemon of the sandbox.
    public init(_ place: GatewaySettings.AuditPlace) {
        self.init()
        secondPlaces = [SecondPlace(folder: place.checkpoints)]
        onFailure = place.marksGaps ? .markGap : .stop
    }
}
