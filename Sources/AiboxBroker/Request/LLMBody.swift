import AiboxWire
import NIOCore

/// What a request's body says that has to be decided on, and what it may cost.
struct LLMBody: Sendable, Equatable {
    var model: String
    /// Tokens that the request may cost, before it is known: what goes in, and the most that may come out.
    var reserve: Int
    /// Tokens that go in, estimated.
    var input: Int
    /// The most that may come out.
    var output: Int { reserve - input }
    var isStream: Bool
    /// The model gets tools.
    var hasTools = false

    /// Bytes that stand for one token, in the estimate.
    static let bytesPerToken = 4
    /// Assumed where a request names no limit of its own.
    static let standardOutput = 4096
    /// Members by which the model gets tools, those that the provider keeps or runs itself among them.
    private static let givesTools: Set<String> = [
        "tools", "functions", "mcp_servers", "web_search_options", "prompt", "toolConfig", "data_sources",
    ]
    /// Members that say how much may come out, by the API or the model's maker (docs.aws.amazon.com/bedrock/latest/userguide,
    /// "Inference request parameters").
    private static let limits: Set<String> = [
        "max_tokens", "max_completion_tokens", "max_output_tokens", "max_gen_len", "max_tokens_to_sample",
        "max_new_tokens", "maxTokens", "maxTokenCount",
    ]
    /// Members in which such members stand, or those that give tools.
    private static let containers: Set<String> = [
        "inferenceConfig", "textGenerationConfig", "additionalModelRequestFields",
    ]

    static func read(_ body: ByteBuffer, _ route: LLMRoute) throws(BrokerRefusal) -> LLMBody {
        let result = body.withUnsafeReadableBytes { bytes -> Result<LLMBody, BrokerRefusal> in
            do throws(BrokerRefusal) {
                return .success(try read(bytes, model: route.model, isStream: route.isStream))
            } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Reads a body.
    ///
    /// - Parameters:
    ///   - path: the model that the path names; the body names no other.
    ///   - isStream: the path says that the answer is a stream.
    /// - Throws: what is wrong with it, for the client.
    static func read(
        _ bytes: UnsafeRawBufferPointer, model path: String? = nil, isStream: Bool = false
    ) throws(BrokerRefusal) -> LLMBody {
        let members = try members(of: bytes)
        // Some servers compare names without regard to case: to them this would be a second model.
        for member in members where member.name != "model" && member.name.lowercased() == "model" {
            throw .request("the body names \"model\" in two spellings")
        }
        func value(_ name: String) -> JSONValue? {
            guard let member = members.first(where: { $0.name == name }), member.value.count <= 4096 else { return nil }
            return try? JSONParser.parse(bytes[member.value])
        }
        let named = members.contains { $0.name == "model" } ? value("model") ?? .null : path.map { .string($0) }
        guard case .string(let model)? = named, !model.isEmpty, model.utf8.count <= 256,
            model.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw .request("the body does not name its model") }
        if let path, path != model { throw .request("the body names another model than the path") }
        let wished = try said(bytes, members)
        let answers = max(1, min(128, try number(bytes, members.first { $0.name == "n" }) ?? 1))
        let output = Int(clamping: max(0, min(1 << 40, wished.output ?? Int64(standardOutput))) * answers)
        let input = (bytes.count + bytesPerToken - 1) / bytesPerToken
        switch value("stream") {
        case nil, .null, .bool: break
        // A lax reader would take it for true.
        default: throw .request("stream is neither true nor false")
        }
        return LLMBody(
            model: model, reserve: input + output, input: input,
            isStream: isStream || value("stream")?.truth ?? false,
            hasTools: wished.hasTools)
    }

    private static func members(of bytes: UnsafeRawBufferPointer) throws(BrokerRefusal) -> [JSONScan.Member] {
        do { return try JSONScan.members(of: bytes) } catch {
            switch error {
            case .repeated(let name): throw .request("the body names \"\(name.prefix(40))\" twice")
            case .tooDeep: throw .request("the body is nested too deeply")
            case .noObject: throw .request("the body is no JSON object")
            case .malformed(let place): throw .request("the body is no valid JSON: byte \(place)")
            }
        }
    }

    /// What the members, and those of their containers, say of tools and of the most that may come out.
    private static func said(
        _ bytes: UnsafeRawBufferPointer, _ members: [JSONScan.Member], depth: Int = 0
    ) throws(BrokerRefusal) -> (output: Int64?, hasTools: Bool) {
        var output: Int64?
        var hasTools = false
        for member in members {
            if limits.contains(member.name), let number = try number(bytes, member), number >= 0 {
                output = max(output ?? 0, number)
            } else if givesTools.contains(member.name), member.value.count > 2 {
                hasTools = true
            } else if depth < 2, containers.contains(member.name), bytes[member.value].first == UInt8(ascii: "{") {
                let inner = UnsafeRawBufferPointer(rebasing: bytes[member.value])
                let found = try said(inner, try Self.members(of: inner), depth: depth + 1)
                output = [output, found.output].compactMap(\.self).max()
                hasTools = hasTools || found.hasTools
            }
        }
        return (output, hasTools)
    }

    /// A whole number; nil where it is not said, or null. What another reader could take for a larger one is refused.
    private static func number(
        _ bytes: UnsafeRawBufferPointer, _ member: JSONScan.Member?
    ) throws(BrokerRefusal) -> Int64? {
        guard let member else { return nil }
        switch member.value.count > 64 ? nil : try? JSONParser.parse(bytes[member.value]) {
        case .null?: return nil
        case .integer(let value)?: return value
        default: throw .request("\(member.name) is no whole number")
        }
    }
}
