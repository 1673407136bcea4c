// A chunked body that does not end, over loopback, for benchmarks of receiving. A thread of its own sends it by sendfile
// out of memory that the kernel holds: about a tenth of what receiving costs, so that the receiver is what is measured.
#pragma once

#include <cstddef>
#include <string_view>
#include <thread>

namespace penstock::bench {

class BodySender {
 public:
  // Sends `text` over and over, in chunks of `chunk_bytes` (the last of each round is shorter).
  BodySender(std::string_view text, std::size_t chunk_bytes);
  BodySender(const BodySender&) = delete;
  BodySender& operator=(const BodySender&) = delete;
  ~BodySender();  // somebody must have closed the receiving end

  int receiving_end() const { return receiving_end_; }        // whoever reads it closes it
  std::size_t framed_bytes() const { return framed_bytes_; }  // of one round

 private:
  int sending_end_ = -1;
  int receiving_end_ = -1;
  int memory_ = -1;
  std::size_t framed_bytes_ = 0;
  std::thread thread_;
};

}  // namespace penstock::bench
