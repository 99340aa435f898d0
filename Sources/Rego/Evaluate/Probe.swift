/// Where a probed plan reports what it does; a plan without probes has no trace of them.
final class ProbeTable {
    func wrap(
        _ builder: @escaping Planner.Builder, rule: Int, literal: LiteralNode, planner: Planner, bound: VariableSet
    ) -> Planner.Builder { builder }
    func entry(_ run: @escaping Run, rule: Int) -> Run { run }
    func exit(_ run: @escaping Run, rule: Int) -> Run { run }
}

final class Probe {}
