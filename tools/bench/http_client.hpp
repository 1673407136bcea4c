// HttpClient: one connection, one request after the other, waiting for each: what a run asks besides its loads.
//
// Journey:  RunCheck, VisibleProber, the command -> [HttpClient] -> a socket.
// Shard:    none; one thread's.
// Promise:  a reply comes within `patience`, or there is a text that says why not.
// Failure:  that text; the next request makes a new connection.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "tools/bench/bench_target.hpp"
#include "tools/bench/key_sum.hpp"
#include "tools/bench/reply_parser.hpp"

namespace penstock::tools {

class HttpClient {
 public:
  struct Answer {
    int status = 0;
    std::string body;
  };

  explicit HttpClient(const BenchTarget& target, int patience_seconds = 600)
      : target_(target), patience_seconds_(patience_seconds) {}
  ~HttpClient() { close(); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  std::expected<Answer, std::string> ask_blocking(std::string_view method, std::string_view path,
                                                  std::string_view body = {});
  // The same with a body of any size, given in pieces; what comes with another status than 200 is in the answer.
  std::expected<Answer, std::string> ask_blocking(std::string_view method, std::string_view path,
                                                  std::string_view body, const ReplyParser::OnBody& on_body);

  // Rows of the table that are visible now; their keys.
  std::expected<std::uint64_t, std::string> count_blocking();
  std::expected<KeySum, std::string> keys_blocking(std::string_view column);
  std::expected<void, std::string> execute_blocking(std::string_view statement);
  std::string version_blocking();  // empty: it does not say

 private:
  std::expected<void, std::string> send_blocking(std::string_view request);
  void close();

  const BenchTarget& target_;
  const int patience_seconds_;
  int socket_ = -1;
};

}  // namespace penstock::tools
