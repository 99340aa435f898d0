import AiboxNetwork
import AiboxWire

/// The calls that keep files at a provider (docs.anthropic.com/en/api/files-create; platform.openai.com/docs/api-reference/files
/// and /uploads).
enum FileCall {
    /// Methods by path; `*` stands for one name. OpenAI alone has uploads in parts.
    private static let table: [(parts: [String], methods: Set<String>, api: BrokerPlan.API?)] = [
        (["files"], ["GET", "POST"], nil), (["files", "*"], ["GET", "DELETE"], nil),
        (["files", "*", "content"], ["GET"], nil), (["uploads"], ["POST"], .openai),
        (["uploads", "*", "parts"], ["POST"], .openai), (["uploads", "*", "complete"], ["POST"], .openai),
        (["uploads", "*", "cancel"], ["POST"], .openai),
    ]

    /// - Parameter parts: of the path, behind the version.
    /// - Returns: the API that has it, if one alone does; nil for what is no such call.
    static func decide(method: String, _ parts: [Substring]) -> Result<BrokerPlan.API?, BrokerRefusal>? {
        let row = table.first { row in
            row.parts.count == parts.count
                && zip(row.parts, parts).allSatisfy { $0 == $1 || $0 == "*" && PathName.decode($1) == String($1) }
        }
        guard let row else { return nil }
        if row.methods.contains(method) { return .success(row.api) }
        let methods = row.methods.sorted().joined(separator: ", ")
        return .failure(.method("/v1/\(parts.joined(separator: "/")) takes \(methods) only"))
    }
}
