// `penstock bench sink`: a server that takes loads and throws them away, to see how fast the generator is by itself.
#pragma once

#include <cstdint>
#include <string>

namespace penstock::tools {

struct SinkWanted {
  std::string listen = "127.0.0.1:8041";
  bool copy = false;  // bring the bytes into this process, as a server must; otherwise the kernel drops them
};

// Runs until SIGTERM or SIGINT; the exit status.
int run_sink(const SinkWanted& wanted);

}  // namespace penstock::tools
