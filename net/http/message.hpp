// Request and Response: what HTTP says, without how it was framed on the wire.
//
// Journey:  HeadParser -> [Request] -> Router -> a Handler -> [Response] -> Exchange.
// Shard:    values; a Request may move to another shard with its connection.
// Promise:  a Request holds its head once, in one string; header names are found without regard to case,
//           duplicates are kept in the order they came.
// Failure:  none of their own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::net {

enum class Method : std::uint8_t { Get, Head, Post, Put, Delete, Options, Patch, Other };
const char* method_name(Method method);

// What the head says about the body. Both lengths at once is for the handler to refuse in its own words: such
// a body is never read, and the connection ends with the reply.
enum class BodyLength : std::uint8_t { None, Length, Chunked, Both };

bool equals_ignoring_case(std::string_view a, std::string_view b);

class Request {
 public:
  struct Header {
    std::string_view name;
    std::string_view value;  // blanks around it cut off
  };

  Method method() const { return method_; }
  bool is_http_1_0() const { return is_http_1_0_; }
  std::string_view target() const { return std::string_view(text_).substr(0, target_size_); }
  std::string_view path() const { return target().substr(path_at_, path_size_); }  // still percent-encoded
  std::string_view query() const;  // without the `?`, still encoded
  // The first value of `name` in the query, decoded.
  std::optional<std::string> query_value(std::string_view name) const;

  std::size_t header_count() const { return fields_.size(); }
  Header header_at(std::size_t index) const;
  // The first header of that name.
  std::optional<std::string_view> header(std::string_view name) const;
  std::vector<std::string_view> headers(std::string_view name) const;
  // The first value that is not empty: an empty header counts as none, a header sent twice by its first value.
  std::string_view first_value(std::string_view name) const;
  // Whether a header that is a comma list (Connection, Expect) carries this word in any of its lines.
  bool header_has_token(std::string_view name, std::string_view token) const;

  BodyLength body_length() const { return body_length_; }
  std::uint64_t content_length() const { return content_length_; }  // 0 where none was given
  // HTTP/1.1 with `Expect: 100-continue`, however often, and a body to come.
  bool expects_continue() const;
  bool wants_keep_alive() const;

 private:
  friend class HeadParser;
  struct Field {
    std::uint32_t name_at = 0;
    std::uint32_t value_at = 0;
    std::uint32_t name_size = 0;
    std::uint32_t value_size = 0;
  };
  std::string text_;  // the target, then each header's name and value
  std::vector<Field> fields_;
  std::uint64_t content_length_ = 0;
  std::uint32_t target_size_ = 0;
  std::uint32_t path_at_ = 0;  // behind scheme and host, where the target carries them
  std::uint32_t path_size_ = 0;
  Method method_ = Method::Other;
  BodyLength body_length_ = BodyLength::None;
  bool is_http_1_0_ = false;
};

const char* reason_phrase(int status);

struct Response {
  int status = 200;
  std::string content_type = "application/json";  // empty: no such header
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};  // further ones; control bytes are taken out

  static Response json(std::string body, int status = 200) {
    return {status, "application/json", std::move(body)};
  }
  static Response text(std::string body, int status = 200) {
    return {status, "text/plain; charset=utf-8", std::move(body)};
  }
};

}  // namespace penstock::net
