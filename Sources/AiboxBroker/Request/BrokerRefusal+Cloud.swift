import AiboxNetwork
import AiboxWire

/// Refusals as the clients of clouds read them.
extension BrokerRefusal {
    /// Whose project the path names is no choice of the sandbox's.
    static func tenant(_ place: String) -> BrokerRefusal {
        BrokerRefusal(
            kind: .permission, rule: "llm.tenant",
            reason: "\(place) is not the project and location that models are asked in",
            nextSteps: ["Use ANTHROPIC_VERTEX_PROJECT_ID and CLOUD_ML_REGION as the environment has them."])
    }

    /// The body; nil where the API's own form is the cloud's as well.
    func cloudBody(_ style: LLMStyle, layer: String) -> [UInt8]? {
        let message = "aibox: " + reason
        switch style {
        case .azure: return nil
        case .bedrock:
            // docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
            return JSONValue.object(["message": .string(message), "aibox": ours(layer: layer)]).bytes
        case .vertex:
            // cloud.google.com/apis/design/errors, "HTTP mapping"
            return JSONValue.object([
                "error": [
                    "code": .integer(Int64(status)), "message": .string(message), "status": .string(googleStatus),
                ], "aibox": ours(layer: layer),
            ]).bytes
        }
    }

    /// The name that goes into `X-Amzn-ErrorType`, by which clients choose the exception.
    var bedrockType: String {
        switch kind {
        case .invalid, .tooLarge: "ValidationException"
        case .authentication, .permission: "AccessDeniedException"
        case .notFound: status == 403 ? "AccessDeniedException" : "ResourceNotFoundException"
        case .rateLimited: "ThrottlingException"
        case .overloaded: "ServiceUnavailableException"
        case .upstream: "InternalServerException"
        case .timeout: "ModelTimeoutException"
        }
    }

    private var googleStatus: String {
        switch kind {
        case .invalid, .tooLarge: "INVALID_ARGUMENT"
        case .authentication: "UNAUTHENTICATED"
        case .permission: "PERMISSION_DENIED"
        case .notFound: status == 403 ? "PERMISSION_DENIED" : "NOT_FOUND"
        case .rateLimited: "RESOURCE_EXHAUSTED"
        case .overloaded, .upstream: "UNAVAILABLE"
        case .timeout: "DEADLINE_EXCEEDED"
        }
    }
}
