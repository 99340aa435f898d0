public import AiboxSystem
import AiboxWire

/// What is kept about a way of telling that does not work: since when, and why.
public struct NotifierStanding: Sendable, Equatable {
    public var way: String
    public var since: String
    public var reason: String

    private static func file(_ folder: String) -> String { folder + "/approvals-notify.json" }

    /// Those that fail now.
    ///
    /// - Parameter folder: the state folder.
    public static func all(_ folder: String) -> [NotifierStanding] {
        guard let bytes = try? File.read(file(folder), limit: 65_536), let json = try? JSONParser.parse(bytes) else {
            return []
        }
        return (json.elements ?? []).prefix(8).map { entry in
            NotifierStanding(
                way: entry["way"]?.stringValue ?? "", since: entry["since"]?.stringValue ?? "",
                reason: entry["reason"]?.stringValue ?? "")
        }
    }

    /// Notes what became of one way: nil is that it works.
    public static func note(_ way: String, _ error: AiboxError?, in folder: String) {
        var all = all(folder)
        let known = all.first { $0.way == way }
        if error == nil, known == nil { return }
        if let error, known?.reason == SafeText.escaped(String(error.reason.prefix(500))) { return }
        all.removeAll { $0.way == way }
        if let error {
            let reason = String(error.reason.prefix(500))
            all.append(
                NotifierStanding(
                    way: way, since: known?.since ?? Timestamp.now.rfc3339, reason: SafeText.escaped(reason)))
        }
        let json: JSONValue = .array(
            all.map { ["way": .string($0.way), "since": .string($0.since), "reason": .string($0.reason)] })
        try? File.replace(file(folder), with: json.bytes)
    }
}
