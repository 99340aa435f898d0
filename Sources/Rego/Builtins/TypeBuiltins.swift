extension Builtins {
    static func addTypes(_ table: inout BuiltinTable) {
        table.add("type_name") { _, x throws(BuiltinFailure) in .string(x[0].typeName) }
        for (name, rank) in [
            ("is_null", 0), ("is_boolean", 1), ("is_number", 2), ("is_string", 3), ("is_array", 4), ("is_object", 5),
            ("is_set", 6),
        ] {
            table.add(name) { _, x throws(BuiltinFailure) in .bool(x[0].rank == rank) }
        }
    }
}
