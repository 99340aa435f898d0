extension Parser {
    /// Finds the `# METADATA` blocks and gives each to the statement that follows it.
    func attachAnnotations(_ module: inout ModuleSyntax) throws(SyntaxFailure) {
        var index = 0
        let comments = module.comments
        while index < comments.count {
            let first = comments[index]
            guard first.ownRow, String(decoding: first.text, as: UTF8.self).trimmedSpaces == "METADATA" else {
                index += 1
                continue
            }
            var text = ""
            var row = first.location.row
            index += 1
            while index < comments.count, comments[index].ownRow, comments[index].location.row == row + 1 {
                let line = String(decoding: comments[index].text, as: UTF8.self)
                text += (line.hasPrefix(" ") ? String(line.dropFirst()) : line) + "\n"
                row += 1
                index += 1
            }
            try attach(text, at: first.location, endRow: row, to: &module)
        }
    }

    private func attach(
        _ text: String, at location: Location, endRow: Int32, to module: inout ModuleSyntax
    ) throws(SyntaxFailure) {
        if text.allSatisfy({ $0 == "\n" || $0 == " " }) {
            throw lexer.failure("expected METADATA block, found whitespace", location)
        }
        let node: YAMLNode
        do {
            node = try YAML.parse(text)
        } catch {
            throw lexer.failure("yaml: \(error.message)", location)
        }
        guard case .mapping(let pairs) = node else {
            throw lexer.failure("yaml: annotations must be a mapping", location)
        }
        // The statement behind the block decides the default scope.
        let rule = module.rules.firstIndex { $0.location.row > endRow }
        let isPackage = module.packageLocation.row > endRow
        let importRow = module.imports.first { $0.location.row > endRow }?.location.row ?? Int32.max
        let ruleRow = rule.map { module.rules[$0].location.row } ?? Int32.max
        var scope = isPackage ? "package" : "rule"
        for pair in pairs where pair.key == "scope" {
            guard case .string(let text) = pair.value, ["package", "subpackages", "rule", "document"].contains(text)
            else {
                throw lexer.failure("invalid annotation scope", location)
            }
            scope = text
        }
        if !isPackage, importRow < ruleRow {
            throw lexer.failure("annotations are not allowed on import statements", location)
        }
        if scope == "package" || scope == "subpackages" {
            guard isPackage else {
                throw lexer.failure("annotation scope '\(scope)' must be applied to package", location)
            }
        } else {
            guard !isPackage, let rule else {
                throw lexer.failure("annotation scope '\(scope)' must be applied to rule", location)
            }
            module.rules[rule].annotations.append(module.annotations.count)
        }
        module.annotations.append(Annotation(scope: scope, value: node, location: location))
    }
}

extension StringProtocol {
    var trimmedSpaces: String {
        var text = Substring(self)
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
