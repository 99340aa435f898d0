import AiboxSystem
import AiboxWire

extension Credential {
    /// Members in a fixed order: the bytes are what an encrypted secret is bound to.
    var json: JSONObject {
        var object: JSONObject = [
            "name": .string(name.description), "hosts": .array(destinations.map { .string($0.description) }),
        ]
        object["user"] = user.map { .string($0) }
        object["place"] = .string(place.description)
        object["added"] = added.map { .integer($0.seconds) }
        object["expires"] = expires.map { .integer($0.seconds) }
        return object
    }

    /// Takes what `json` made; other members are left.
    init(_ fields: inout WireFields) throws {
        let name = try CredentialName(try fields.string("name"))
        try self.init(
            name, destinations: try fields.texts("hosts").map { try CredentialDestination($0) },
            user: try fields.optionalString("user"), place: try CredentialPlace(try fields.string("place")),
            added: try fields.optionalInteger("added").map { Timestamp(seconds: $0) },
            expires: try fields.optionalInteger("expires").map { Timestamp(seconds: $0) })
    }
}

extension StoredCredential {
    /// The whole on one line, for stores that keep a text.
    func record() -> [UInt8] {
        var object = credential.json
        object["secret"] = .string(secret.text)
        return JSONValue.object(object).bytes
    }

    /// - Returns: nil for whatever is no such record, without a word about why: the words might hold the secret.
    init?(record: some Sequence<UInt8>) {
        guard let json = try? JSONParser.parse(record, limits: .init(size: 2 * Secret.longest)),
            var fields = try? WireFields(json, in: "credential"), let credential = try? Credential(&fields),
            let text = try? fields.string("secret"), let secret = try? Secret(text), (try? fields.finish()) != nil
        else { return nil }
        self.init(credential, secret)
    }
}
