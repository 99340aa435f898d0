/// Makes the plan of the rules at one path.
struct RulePlanner {
    let program: Program
    let ruleSet: RuleSet
    let probes: ProbeTable?

    func plan() {
        var constants: [Value] = []
        var allConstant = true
        for rule in ruleSet.node.rules {
            if rule.isDefault {
                if case .constant(let value)? = rule.clauses.first?.value {
                    ruleSet.defaultValue = value
                } else if let clause = rule.clauses.first {
                    // Comprehensions are allowed in defaults; their value is computed like a rule's.
                    allConstant = false
                    computedDefault(rule, clause)
                }
                continue
            }
            let planner = self.planner(rule)
            var bound = VariableSet()
            let prologue = arguments(rule, planner, &bound)
            var clauses: [RuleSet.Clause] = []
            for (index, clause) in rule.clauses.enumerated() {
                planner.clause = index
                if case .constant(let value) = clause.value { constants.append(value) } else { allConstant = false }
                var inner = bound
                var run = body(rule, clause, planner, &inner)
                if let prologue { run = prologue.build(run) }
                clauses.append(RuleSet.Clause(run: run, location: clause.location))
            }
            ruleSet.groups.append(RuleSet.Group(clauses: clauses))
            ruleSet.frameSize = max(ruleSet.frameSize, planner.frameSize)
        }
        if ruleSet.kind == .function || ruleSet.kind == .complete, allConstant, let first = constants.first {
            ruleSet.stopsEarly = constants.allSatisfy { $0.equals(first) } && probes == nil
        }
        ruleSet.frameSize = max(ruleSet.frameSize, 1 + ruleSet.arity)
        ruleSet.memoizes =
            ruleSet.kind == .function && probes == nil
            && ruleSet.node.rules.contains { $0.clauses.contains { $0.body.contains(where: RulePlanner.isCostly) } }
    }

    private static func isCostly(_ literal: LiteralNode) -> Bool {
        var costly = false
        literal.forEachComprehension { _ in costly = true }
        switch literal.kind {
        case .call(let call): if case .function = call.callee { costly = true }
        case .every, .notBody: costly = true
        default: break
        }
        return costly
    }

    private func planner(_ rule: RuleNode) -> Planner {
        Planner(
            program: program, variables: rule.variables, reserved: 1 + ruleSet.arity, probes: probes, rule: rule.index)
    }

    private func computedDefault(_ rule: RuleNode, _ clause: ClauseNode) {
        let planner = self.planner(rule)
        var bound = VariableSet()
        let run = body(rule, clause, planner, &bound)
        ruleSet.frameSize = max(ruleSet.frameSize, planner.frameSize)
        ruleSet.groups.append(
            RuleSet.Group(clauses: [
                RuleSet.Clause(
                    run: { context in
                        context.frame[0].isDefined || run(context)
                    }, location: clause.location)
            ]))
    }

    /// Arguments that are no plain variables are matched before the body.
    private func arguments(
        _ rule: RuleNode, _ planner: Planner, _ bound: inout VariableSet
    ) -> Builder? {
        var checks: [(slot: Int, matcher: Matcher)] = []
        for (index, argument) in (rule.arguments ?? []).enumerated() {
            let slot = 1 + index
            if case .local(let variable) = argument, !bound.contains(variable) {
                planner.alias(variable, slot)
                bound.insert(variable)
            }
        }
        for (index, argument) in (rule.arguments ?? []).enumerated() {
            let slot = 1 + index
            if case .local(let variable) = argument, planner.slot(variable) == slot { continue }
            checks.append((slot, Matcher(planner.match(argument, &bound))))
        }
        if checks.isEmpty { return nil }
        let all = checks
        return Builder { next in
            { context in
                for check in all where !check.matcher.match(context, context.frame[check.slot]) {
                    return !context.failed
                }
                return next(context)
            }
        }
    }

    private func body(_ rule: RuleNode, _ clause: ClauseNode, _ planner: Planner, _ bound: inout VariableSet) -> Run {
        let end = Ending()
        let run = planner.body(clause.body, bound: &bound) { context in end.run(context) }
        var last = self.end(rule, clause, planner, bound)
        if let probes { last = probes.exit(last, rule: rule.index, clause: planner.clause) }
        end.run = last
        if let probes { return probes.entry(run, rule: rule.index, clause: planner.clause) }
        let requirements = RuleRequirements(clause.body)
        if requirements.isEmpty { return run }
        return { context in
            let goesOn = run(context)
            return context.failed ? context.forgives(requirements) : goesOn
        }
    }

    private func end(_ rule: RuleNode, _ clause: ClauseNode, _ planner: Planner, _ bound: VariableSet) -> Run {
        let location = clause.location
        let ruleSet = self.ruleSet
        switch ruleSet.kind {
        case .complete, .function:
            if case .constant(let value) = clause.value {
                return { context in
                    if context.frame[0].isUndefined {
                        context.frame[0] = value
                    } else if !context.equal(context.frame[0], value) {
                        return ruleSet.conflict(context, location)
                    }
                    // The rest of the enumeration could only repeat it.
                    return false
                }
            }
            let eval = planner.eval(clause.value, bound)
            return { context in
                let value = eval(context)
                if value.isUndefined { return !context.failed }
                if context.frame[0].isUndefined {
                    context.frame[0] = value
                } else if !context.equal(context.frame[0], value) {
                    return ruleSet.conflict(context, location)
                }
                return true
            }
        case .partialSet:
            let eval = planner.eval(clause.value, bound)
            return { context in
                guard context.charge(16) else { return false }
                let value = eval(context)
                if value.isUndefined { return !context.failed }
                context.items.append(value)
                return true
            }
        case .partialObject:
            let marker = Node.constant(.bool(rule.isPartialSet))
            let eval = planner.eval(.array([marker] + rule.tail + [clause.value]), bound)
            return { context in
                guard context.charge(64) else { return false }
                let value = eval(context)
                if value.isUndefined { return !context.failed }
                context.items.append(value)
                return true
            }
        }
    }
}
