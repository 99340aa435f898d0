import AiboxNetwork
import AiboxSystem
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import AiboxGateway

@Suite("Questions how much Squid holds")
struct SquidGaugeTests {
    /// A Squid that takes its time to answer, and counts.
    private final class SlowSquid: Sendable {
        private struct State {
            var questions = 0
            var open = 0
            var mostOpen = 0
        }

        private let state = Mutex(State())
        private let delay: TimeAmount
        private let held: Int?

        /// - Parameter held: what it holds of port 4000; nil: it answers something else.
        init(delay: TimeAmount, held: Int?) {
            self.delay = delay
            self.held = held
        }

        var questions: Int { state.withLock { $0.questions } }
        var mostOpen: Int { state.withLock { $0.mostOpen } }

        func serve(on group: any EventLoopGroup) throws -> any Channel {
            try ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Answering(squid: self))
                    }
                }
                .bind(to: SocketAddress(ipAddress: "127.0.0.1", port: 0)).wait()
        }

        private final class Answering: ChannelInboundHandler {
            typealias InboundIn = ByteBuffer
            private let squid: SlowSquid

            init(squid: SlowSquid) { self.squid = squid }

            func channelRead(context: ChannelHandlerContext, data: NIOAny) {
                let (squid, channel) = (squid, context.channel)
                squid.state.withLock { state in
                    state.questions += 1
                    state.open += 1
                    state.mostOpen = max(state.mostOpen, state.open)
                }
                context.eventLoop.scheduleTask(in: squid.delay) {
                    squid.state.withLock { $0.open -= 1 }
                    let page = squid.held.map {
                        "\tin: buf 0x1, used \($0), free 1\n\tremote: 127.0.0.1:4000\n"
                    }
                    let text = "HTTP/1.1 200 OK\r\n\r\n" + (page ?? "something else")
                    channel.writeAndFlush(ByteBuffer(string: text)).whenComplete { _ in channel.close(promise: nil) }
                }
            }
        }
    }

    @Test(
        "however many uploads wait, one question at a time is asked for all of them, with a pause after each",
        arguments: [(held: 900, isPage: true), (held: 0, isPage: false)])
    func shared(held: Int, isPage: Bool) throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let squid = SlowSquid(delay: .milliseconds(20), held: isPage ? held : nil)
        let server = try squid.serve(on: group)
        let gauge = SquidGauge(port: UInt16(try #require(server.localAddress?.port)), secret: "abc")
        let begun = ContinuousClock.now
        var answered = 0
        // A thousand stalled uploads that ask again as soon as they have their answer.
        while begun.duration(to: .now) < .seconds(1) {
            let round = (0..<1000).map { gauge.held(from: $0 == 0 ? 4000 : UInt16(10_000 + $0), on: loop) }
            let results = try EventLoopFuture.whenAllComplete(round, on: loop).wait()
            #expect(results.count == 1000)
            for (index, result) in results.enumerated() {
                #expect((try? result.get()) == (isPage ? (index == 0 ? held : 0) : nil))
            }
            answered += 1
        }
        let took = begun.duration(to: .now)
        // 20 ms for a question, and four times that for the pause after it.
        #expect(squid.questions <= took.milliseconds / 100 + 1, "\(squid.questions) in \(took)")
        #expect(squid.questions >= answered * (isPage ? 2 : 1) && squid.mostOpen == 1)
        try server.close().wait()
        try group.syncShutdownGracefully()
    }

    @Test("the pause grows with what a question takes, within bounds")
    func pause() {
        for (question, pause) in [(0, 2), (100, 2), (1000, 4), (20_000, 80), (50_000, 200), (2_000_000, 200)] {
            #expect(SquidGauge.pause(after: .microseconds(Int64(question))) == .milliseconds(Int64(pause)))
        }
    }

    @Test("who waits through the pause when the gateway ends is told that there is no answer")
    func ending() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let squid = SlowSquid(delay: .milliseconds(50), held: 1)
        let server = try squid.serve(on: group)
        let gauge = SquidGauge(port: UInt16(try #require(server.localAddress?.port)), secret: "abc")
        #expect(try gauge.held(from: 4000, on: group.next()).wait() == 1)
        // The next question begins 200 ms later; the loop ends before.
        let told = Mutex<Result<Int, any Error>?>(nil)
        gauge.held(from: 4000, on: group.next()).whenComplete { result in told.withLock { $0 = result } }
        try server.close().wait()
        try group.syncShutdownGracefully()
        #expect(throws: (any Error).self) { try #require(told.withLock { $0 }).get() }
    }
}
