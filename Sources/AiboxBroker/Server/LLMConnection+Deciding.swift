import AiboxCrypto
import AiboxNetwork
import AiboxSystem
import AiboxWire
import NIOCore
import NIOPosix

/// What stands between a request that is read and one that goes out: the model, the policies in Rego, the limits of a minute, what
/// must not leave, the limits of a day, what is kept, the log, in this order.
extension LLMConnection {
    func decide() {
        guard var exchange = request, let route = exchange.route, let grant = exchange.grant else { return }
        exchange.others = pool.circuit.order(
            exchange.configuration.bases(of: grant).filter { $0.prefix.hasSuffix(route.tenant) })
        if exchange.others.isEmpty {
            if exchange.configuration.bases(of: grant).isEmpty { return }
            return refuse(.tenant(route.tenant))
        }
        let base = exchange.others.removeFirst()
        exchange.record.provider = base.host
        phase = .deciding
        link.stopTimer()
        exchange.record.bytes = exchange.body.readableBytes
        do throws(BrokerRefusal) {
            if exchange.configuration.plan.digests, exchange.body.readableBytes > 0 {
                exchange.record.digest = try? SHA256.digest(Array(exchange.body.readableBytesView)).hex
            }
            if route.namesModel {
                let body = try LLMBody.read(exchange.body, route)
                exchange.said = body
                exchange.record.model = body.model
                if !exchange.configuration.models.allows(body.model, isNamed: body.model.hasPrefix("arn:")) {
                    throw BrokerRefusal(
                        kind: .notFound, rule: "llm.models",
                        reason: "the policy does not permit the model \(body.model)",
                        nextSteps: [
                            exchange.configuration.plan.models.isEmpty
                                ? "No model is permitted: ask who owns the policy for llm.models."
                                : "Permitted: \(exchange.configuration.plan.models.joined(separator: ", "))."
                        ], given: 403)
                }
            }
        } catch {
            request = exchange
            return refuse(error)
        }
        request = exchange
        guard exchange.said != nil else { return reserve(base) }
        judge(base) { ruling in
            if ruling.isAllowed { return self.reserve(base) }
            self.refuse(
                BrokerRefusal(
                    kind: .permission, rule: ruling.rule, reason: ruling.reason,
                    nextSteps: ["Use another model, or ask who owns the organisation's policies."], layer: ruling.layer)
            )
        }
    }

    /// Asks the policies in Rego whether that provider may get it, unless their answer is known.
    func judge(_ base: UpstreamBase, then goOn: @escaping (LLMRuling) -> Void) {
        guard let loop = link.context?.eventLoop, let exchange = request, let route = exchange.route,
            let said = exchange.said
        else { return }
        let asked = LLMRequest(
            model: said.model, provider: base.host, endpoint: route.path, isStream: said.isStream,
            hasTools: said.hasTools)
        if let known = service.known(asked) { return goOn(known) }
        let id = exchange.record.id
        service.rule(asked, on: loop).assumeIsolated().whenComplete { result in
            guard self.phase == .deciding, self.request?.record.id == id else { return }
            switch result {
            case .success(let ruling): goOn(ruling)
            case .failure: self.refuse(.undecided)
            }
        }
    }

    /// The body is back from another thread.
    private func isBack() {
        isAway = false
        if request?.body.readableBytes ?? 0 == 0 { release() }
    }

    private func look(_ base: UpstreamBase) {
        guard let context = link.context, let exchange = request else { return }
        guard let screen = exchange.configuration.leaks else { return spend(base) }
        look(exchange, screen, on: context.eventLoop) { self.spend(base) }
    }

    /// Looks for what must not leave; what is long not on the event loop.
    private func look(
        _ exchange: LLMExchange, _ screen: LeakScreen, on loop: any EventLoop, then proceed: @escaping () -> Void
    ) {
        let id = exchange.record.id
        let body = exchange.body
        var head = CallerFields.forwarded(exchange.head.fields).flatMap { field in
            Array("\(field.name): ".utf8) + field.value + Array("\r\n".utf8)
        }
        head += "\(exchange.route?.path ?? "")\n\(exchange.route?.query ?? "")".utf8
        let rest = head
        // A file is whatever it is, and looked through as it is where it is no JSON.
        let isFile = exchange.route?.call == .files
        @Sendable func findings() -> [LeakScreen.Finding] {
            var texts = RequestTexts()
            if isFile, body.withUnsafeReadableBytes({ (try? JSONScan.members(of: $0)) == nil }) {
                texts.add(body.readableBytesView)
            } else {
                texts = body.withUnsafeReadableBytes { RequestTexts($0) }
            }
            texts.add(rest)
            return screen.look(texts)
        }
        func go(on found: [LeakScreen.Finding]) {
            guard phase == .deciding, request?.record.id == id else { return }
            request?.record.leaks = found
            if let first = found.first, first.blocks { refuse(first.refusal) } else { proceed() }
        }
        if !screen.isLong(body.readableBytes) { return go(on: findings()) }
        isAway = true
        service.threads.runIfActive(eventLoop: loop, findings).assumeIsolated().whenComplete { result in
            self.isBack()
            switch result {
            case .success(let found): go(on: found)
            case .failure: self.link.close()
            }
        }
    }

    /// Takes what it may cost.
    private func reserve(_ base: UpstreamBase) {
        guard var exchange = request, let route = exchange.route else { return }
        do throws(BrokerRefusal) {
            let cost = route.call == .generation ? exchange.said : nil
            exchange.record.estimate = cost?.reserve
            exchange.price = cost.flatMap { exchange.configuration.price(of: $0.model) }
            if cost != nil, exchange.price == nil, let field = exchange.configuration.plan.limits.costField {
                throw BrokerRefusal(
                    kind: .permission, rule: field,
                    reason: "what a day may cost is limited, and nobody says what this model costs",
                    nextSteps: ["Ask who owns the policy for the model's price in llm.prices."])
            }
            exchange.reservation = try service.begin(cost, exchange.configuration)
        } catch {
            request = exchange
            return refuse(error)
        }
        request = exchange
        // After the limits of a minute: looking takes time.
        look(base)
    }

    private func spend(_ base: UpstreamBase) {
        guard let exchange = request else { return }
        let isCounted = exchange.route?.call == .generation && exchange.configuration.plan.limits.areDaily
        if isCounted { take(base) } else { keep(base) }
    }

    /// Takes what it may cost from what the user, and the sandbox, may spend in a day.
    private func take(_ base: UpstreamBase) {
        guard let loop = link.context?.eventLoop, let exchange = request, let said = exchange.said else { return }
        let id = exchange.record.id
        let amount = LLMAmount(
            tokens: said.reserve, micros: exchange.price?.most(input: said.input, output: said.output) ?? 0)
        let service = service
        service.take(amount, on: loop).assumeIsolated().whenComplete { result in
            guard self.phase == .deciding, self.request?.record.id == id else {
                // The client has gone meanwhile: it is given back.
                if case .success(let ruling) = result, let day = ruling.day {
                    service.settle(LLMSettlement(day: day, taken: amount, cost: LLMAmount()), on: loop)
                }
                return
            }
            switch result {
            case .success(let ruling):
                guard ruling.isAllowed, let day = ruling.day else {
                    return self.refuse(
                        BrokerRefusal(
                            kind: .rateLimited, rule: ruling.rule, reason: ruling.reason,
                            nextSteps: ["Ask for less with max_tokens, or go on tomorrow (UTC)."]))
                }
                self.request?.taken = (day, amount)
                self.keep(base)
            case .failure: self.refuse(.undecided)
            }
        }
    }

    /// Keeps its content, where the policy demands that.
    private func keep(_ base: UpstreamBase) {
        guard let loop = link.context?.eventLoop, let exchange = request else { return }
        guard let rule = exchange.configuration.payloads, exchange.route?.mayHaveBody == true else {
            return record(base)
        }
        let (record, service) = (exchange.record, service)
        isAway = true
        service.keep(record, exchange.body, by: rule, on: loop).assumeIsolated().whenComplete { result in
            self.isBack()
            guard self.phase == .deciding, self.request?.record.id == record.id else {
                // The client has gone meanwhile: nothing follows in it.
                if case .success(let file) = result {
                    _ = service.threads.runIfActive(eventLoop: loop) { try file.finish() }
                }
                return
            }
            switch result {
            case .success(let file):
                self.request?.payload = file
                self.request?.record.payload = file.id
                self.record(base)
            case .failure: self.refuse(.unkept)
            }
        }
    }

    /// Writes it down, and asks.
    func record(_ base: UpstreamBase) {
        guard let context = link.context, let exchange = request else { return }
        let id = exchange.record.id
        service.audit.before(exchange.record.asked(), on: context.eventLoop).assumeIsolated().whenComplete { result in
            guard self.phase == .deciding, self.request?.record.id == id else { return }
            if case .failure = result { return self.refuse(.unrecorded) }
            self.connect(base, id: id)
        }
    }
}
