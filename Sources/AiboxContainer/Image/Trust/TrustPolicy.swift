import AiboxWire

/// Policies of containers-policy.json(5), which decide what may be copied into podman's storage.
enum TrustPolicy {
    /// Exactly this repository, its signature checked by somebody else; nothing besides.
    static func accepting(repository: String) -> [UInt8] {
        policy(repository, ["type": "insecureAcceptAnything"])
    }

    /// Exactly this repository, signed by one of the OpenPGP keys of a file.
    static func signed(repository: String, keyFile: String) -> [UInt8] {
        policy(
            repository,
            [
                "type": "signedBy", "keyType": "GPGKeys", "keyPath": .string(keyFile),
                // The image is fetched by its digest, so a tag has nothing to match.
                "signedIdentity": ["type": "matchRepository"],
            ])
    }

    private static func policy(_ repository: String, _ requirement: JSONValue) -> [UInt8] {
        let scopes = JSONObject([JSONObject.Member(repository, .array([requirement]))])
        let document: JSONValue = [
            "default": [["type": "reject"]], "transports": ["docker": .object(scopes)],
        ]
        return document.bytes
    }
}
