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
                let edges = neighbours(graph[start])
                if edges.isEmpty { result.append(.array([start])) }
                // Depth first; each entry is a path and a node behind it that is still to be looked at.
                var open = edges.map { (path: [start], next: $0) }
                while let (path, node) = open.popLast() {
                    guard context.step() else { return .undefined }
                    try context.reserve(path.count * 16 + 64)
                    // A path ends in front of a node that is not in the graph, at one without edges, and where an
                    // edge leads back.
                    let edges = graph[node]
                    if edges.isUndefined {
                        result.append(.array(path))
                        continue
                    }
                    let longer = path + [node]
                    let further = neighbours(edges)
                    var ends = further.isEmpty
                    for next in further {
                        if longer.contains(where: { $0.equals(next) }) {
                            ends = true
                        } else {
                            open.append((path: longer, next: next))
                        }
                    }
                    if ends { result.append(.array(longer)) }
                }
            }
            return .set(SetBox(unsorted: result))
        }
    }

    private static func neighbours(_ edges: Value) -> [Value] {
        switch edges {
        case .array(let box): box.items
        case .set(let box): box.items
        default: []
        }
    }
}
