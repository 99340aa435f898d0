import AiboxCrypto
import AiboxSystem
import AiboxWire
import Glibc

/// The part of a line that does not depend on its place in the log, rendered on the thread that has the event.
struct EventBody: Sendable {
    /// From `"time":` up to the end of the last member before `prev`, without a comma at either end.
    let bytes: [UInt8]
    let time: Timestamp

    /// Bytes of one text; what is longer is cut at a character and named in `truncated`.
    static let longestText = 65_536
    /// Bytes of the rendered details; what is larger is left out as a whole and named in `truncated`.
    static let largestDetails = 262_144

    init(_ event: AuditEvent, in standard: AuditContext, at moment: Moment) throws(AiboxError) {
        let context = event.context ?? standard
        var writer = BodyWriter()
        writer.bytes.reserveCapacity(512)
        writer.text("time", moment.time.rfc3339)
        writer.number("mono", moment.monotonic)
        writer.text("boot", moment.boot)
        writer.text("type", event.type.rawValue)
        writer.text("severity", (event.severity ?? event.type.definition.severity).rawValue)
        if let risk = event.risk { writer.text("risk", risk.rawValue) }
        writer.text("outcome", event.outcome.rawValue)
        writer.text("source", context.source.rawValue)
        try writer.bounded("host", context.host)
        try writer.bounded("user", context.user)
        try writer.bounded("session", context.session)
        try writer.bounded("sandbox", context.sandbox)
        try writer.bounded("policy", context.policy)
        try writer.bounded("subject", event.subject)
        try writer.details(event.details)
        writer.list("truncated", writer.truncated)
        let problems = event.problems
        if !problems.isEmpty { writer.texts("problems", problems) }
        bytes = writer.bytes
        time = moment.time
    }
}

/// When something happened, by the wall clock and by one that is never set.
struct Moment: Sendable {
    var time: Timestamp
    /// Nanoseconds since this boot, suspended time included (CLOCK_BOOTTIME).
    var monotonic: UInt64
    /// The kernel's id of this boot: monotonic times of one boot are comparable.
    var boot: String

    static var now: Moment {
        var clock = timespec()
        clock_gettime(CLOCK_BOOTTIME, &clock)
        return Moment(
            time: .now, monotonic: UInt64(clock.tv_sec) * 1_000_000_000 + UInt64(clock.tv_nsec), boot: thisBoot)
    }

    static let unknownBoot = "unknown"

    private static let thisBoot: String = {
        let text = (try? File.text("/proc/sys/kernel/random/boot_id", limit: 64)) ?? unknownBoot
        return String(text.prefix { $0 != "\n" })
    }()
}

/// Writes members in a fixed order and keeps account of what was cut.
private struct BodyWriter {
    var bytes: [UInt8] = []
    /// Rendered entries of `truncated`.
    var truncated: [[UInt8]] = []

    mutating func text(_ name: StaticString, _ text: String) {
        member(name)
        JSONText.append(text, to: &bytes)
    }

    mutating func number(_ name: StaticString, _ number: UInt64) {
        member(name)
        bytes.append(contentsOf: String(number).utf8)
    }

    mutating func texts(_ name: StaticString, _ texts: [String]) {
        list(
            name,
            texts.map { text in
                var element: [UInt8] = []
                JSONText.append(text, to: &element)
                return element
            })
    }

    mutating func list(_ name: StaticString, _ elements: [[UInt8]]) {
        if elements.isEmpty { return }
        member(name)
        bytes.append(UInt8(ascii: "["))
        bytes.append(contentsOf: elements.joined(separator: [UInt8(ascii: ",")]))
        bytes.append(UInt8(ascii: "]"))
    }

    mutating func bounded(_ name: StaticString, _ text: String) throws(AiboxError) {
        let kept = try cut(text, "\(name)")
        self.text(name, kept)
    }

    mutating func details(_ details: JSONObject) throws(AiboxError) {
        member("details")
        let start = bytes.count
        let cuts = truncated.count
        try value(.object(details), "details", depth: 0)
        if bytes.count - start <= EventBody.largestDetails { return }
        let all = Array(bytes[start...])
        bytes.replaceSubrange(start..., with: "{}".utf8)
        truncated.removeSubrange(cuts...)
        try remember("details", all)
    }

    private mutating func value(_ value: JSONValue, _ path: String, depth: Int) throws(AiboxError) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): bytes.append(contentsOf: String(value).utf8)
        case .number(let value): bytes.append(contentsOf: (value.isFinite ? String(value) : "null").utf8)
        case .string(let text): JSONText.append(try cut(text, path), to: &bytes)
        case .array, .object:
            // Deeper than anything an emitter builds; a bound keeps foreign documents from exhausting the stack.
            if depth == 32 {
                let text = value.text
                bytes.append(contentsOf: "null".utf8)
                try remember(path, Array(text.utf8))
                return
            }
            try container(value, path, depth: depth)
        }
    }

    private mutating func container(_ value: JSONValue, _ path: String, depth: Int) throws(AiboxError) {
        if case .array(let elements) = value {
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                try self.value(element, path + "[\(index)]", depth: depth + 1)
            }
            bytes.append(UInt8(ascii: "]"))
        } else if case .object(let object) = value {
            bytes.append(UInt8(ascii: "{"))
            // Sorted, and each name once: the same details give the same bytes.
            var previous: String?
            for member in object.members.sorted(by: { $0.name < $1.name }) where member.name != previous {
                if previous != nil { bytes.append(UInt8(ascii: ",")) }
                previous = member.name
                JSONText.append(try cut(member.name, path), to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                try self.value(member.value, path + "." + member.name, depth: depth + 1)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private mutating func cut(_ text: String, _ path: String) throws(AiboxError) -> String {
        if text.utf8.count <= EventBody.longestText { return text }
        var kept = text.utf8.index(text.utf8.startIndex, offsetBy: EventBody.longestText)
        while kept > text.startIndex, kept.samePosition(in: text.unicodeScalars) == nil {
            kept = text.utf8.index(before: kept)
        }
        try remember(path, Array(text.utf8))
        return String(text.unicodeScalars[..<kept])
    }

    /// What was there: its place, its length in bytes, its SHA-256.
    private mutating func remember(_ path: String, _ all: [UInt8]) throws(AiboxError) {
        var entry = Array(#"{"field":"#.utf8)
        JSONText.append(String(path.prefix(256)), to: &entry)
        entry.append(contentsOf: #","bytes":\#(all.count),"sha256":"\#(try SHA256.digest(all).hex)"}"#.utf8)
        truncated.append(entry)
    }

    private mutating func member(_ name: StaticString) {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: "\":".utf8)
    }
}
