import AiboxBroker
import Glibc

guard CommandLine.arguments.count == 2, CommandLine.arguments[1] == "serve" else {
    let text = "aibox-llm-proxy is started by aibox-gateway; it is not run by hand.\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
    exit(64)
}
exit(LLMProxyDaemon.run())
