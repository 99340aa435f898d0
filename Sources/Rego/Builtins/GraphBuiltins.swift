extension Builtins {
    static func addGraphs(_ table: inout BuiltinTable) {
        table.add("graph.reachable") { context, x throws(BuiltinFailure) in
            let graph = try x.object(0)
            var open = try x.items(1)
            var seen: Set<Value> = []
            while let node = open.popLast() {
                guard context.step() else { return .undefined }
                let edges = graph[node]
                if edges.isUndefined || !seen.insert(node).inserted { continue }
                open.append(contentsOf: neighbours(edges))
            }
            return .set(SetBox(unsorted: Array(seen)))
        }
        table.add("graph.reachable_paths") { context, x throws(BuiltinFailure) in
            let graph = try x.object(0)
            var result: [Value] = []
            for start in try x.items(1) {
                guard graph[start].isDefined else { continue }
                // Depth first; each entry is a node with the path that leads to it.
                var open: [[Value]] = [[start]]
                while let path = open.popLast() {
                    guard context.step() else { return .undefined }
                    try context.reserve(path.count * 16)
                    let edges = neighbours(path.last.map { graph[$0] } ?? .undefined)
                    var extended = false
                    for next in edges where !path.contains(where: { $0.equals(next) }) {
                        if graph[next].isUndefined { continue }
                        open.append(path + [next])
                        extended = true
                    }
                    // A path ends where no edge leads on, or where an edge leads back.
                    let ends =
                        edges.isEmpty
                        || edges.contains { next in path.contains { $0.equals(next) } || graph[next].isUndefined }
                    if ends || !extended { result.append(.array(path)) }
                }
            }
            return .set(SetBox(unsorted: result))
        }
    }

    private static func neighbours(_ edges: Value) -> [Value] {
        switch edges {
        case .array(let items): items
        case .set(let box): box.items
        default: []
        }
    }
}
