/// `yaml.unmarshal`, `yaml.is_valid` and `yaml.marshal`.
enum YAML {
    /// Reads the first document. Throws the YAML library's messages, such as "yaml: line 1: did not find expected ',' or ']'".
    static func parse(_ text: String) throws(SupportError) -> YAMLNode {
        var parser = YAMLParser(text)
        return try parser.document()
    }

    static func isValid(_ text: String) -> Bool { (try? parse(text)) != nil }

    /// Block style; the keys come out in the order given.
    static func emit(_ node: YAMLNode) throws(SupportError) -> String {
        var emitter = YAMLEmitter()
        try emitter.write(node, indent: 0, depth: 0, place: .line)
        return String(decoding: emitter.output, as: UTF8.self)
    }
}
