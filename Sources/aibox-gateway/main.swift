import AiboxGateway
import Glibc

// The holder has to be a process of one thread: it is told apart before anything else happens.
let arguments = CommandLine.arguments.dropFirst()
switch arguments.first {
case "run": exit(GatewayDaemon.run())
case "namespace-holder": exit(NamespaceHolder.run(Array(arguments.dropFirst())))
case "call-watcher": exit(CallWatcher.run(Array(arguments.dropFirst())))
default:
    let text = "aibox-gateway is started by aibox start; it is not run by hand.\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
    exit(64)
}
