import AiboxSystem
import Glibc

// Docker's daemon runs this for every step of a container's life: FOLDER, then the words of runc(8).
let words = CommandLine.arguments.dropFirst()
do throws(AiboxError) {
    guard let folder = words.first, folder.hasPrefix("/") else {
        throw AiboxError(.usage, "aibox-docker-runtime is run by Docker's daemon; it is not run by hand")
    }
    try DockerRuntime(folder: folder, words: Array(words.dropFirst())).run()
} catch {
    DockerRuntime.report(error, Array(words))
    exit(1)
}
