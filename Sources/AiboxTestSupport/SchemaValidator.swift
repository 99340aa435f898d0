public import AiboxSystem

/// A JSON schema as a validator reads it that other people wrote (python-jsonschema).
public enum SchemaValidator {
    private static let script = #"""
        import json, sys
        from jsonschema import Draft202012Validator as Validator
        schema = json.load(open(sys.argv[1]))
        assert schema["$schema"] == Validator.META_SCHEMA["$id"], schema["$schema"]
        Validator.check_schema(schema)
        validator = Validator(schema)
        for line in open(sys.argv[2]):
            error = next(validator.iter_errors(json.loads(line)), None)
            print("fits" if error is None else str(error.message)[:300].replace("\n", " "))
        """#

    /// What it says of each document: nil where it fits.
    ///
    /// - Parameter documents: JSON in one line each.
    /// - Throws: where the schema is none of the draft that it declares, 2020-12.
    public static func answers(schema: String, _ documents: [String]) throws(AiboxError) -> [String?] {
        let folder = try TemporaryFolder()
        let lines = try folder.write("documents", documents.map { $0 + "\n" }.joined())
        let result = try SystemCommandRunner().run(Command("/usr/bin/python3", ["-c", script, schema, lines]))
        let answers = result.text.split(separator: "\n").map(String.init)
        guard result.succeeded, answers.count == documents.count else {
            throw AiboxError(.failed, "cannot validate against \(schema)", why: result.errorText)
        }
        return answers.map { $0 == "fits" ? nil : $0 }
    }
}
