import Glibc

guard CommandLine.arguments.count == 2, CommandLine.arguments[1] == "serve" else {
    let text = "aibox-lease-keeper is started by aibox; it is not run by hand.\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
    exit(64)
}
exit(LeaseKeeperDaemon.run())
