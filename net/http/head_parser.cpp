#include "net/http/head_parser.hpp"

#include <array>
#include <utility>

#include "net/http/target.hpp"

namespace penstock::net {
namespace {

constexpr std::array<bool, 256> make_name_characters() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<std::size_t>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kNameCharacters = make_name_characters();

bool is_header_name(std::string_view name) {
  if (name.empty()) return false;
  for (const char c : name) {
    if (!kNameCharacters[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

bool parse_length(std::string_view digits, std::uint64_t& out) {
  if (digits.empty() || digits.size() > 18) return false;
  out = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return false;
    out = out * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return true;
}

Method method_from_llhttp(std::uint8_t method) {
  switch (method) {
    case HTTP_GET:
      return Method::Get;
    case HTTP_HEAD:
      return Method::Head;
    case HTTP_POST:
      return Method::Post;
    case HTTP_PUT:
      return Method::Put;
    case HTTP_DELETE:
      return Method::Delete;
    case HTTP_OPTIONS:
      return Method::Options;
    case HTTP_PATCH:
      return Method::Patch;
    default:
      return Method::Other;
  }
}

HeadParser& parser_of(llhttp_t* llhttp) { return *static_cast<HeadParser*>(llhttp->data); }

}  // namespace

const llhttp_settings_t& HeadParser::settings() {
  static const llhttp_settings_t instance = [] {
    llhttp_settings_t s;
    llhttp_settings_init(&s);
    s.on_url = &HeadParser::on_url;
    s.on_header_field = &HeadParser::on_field;
    s.on_header_value = &HeadParser::on_value;
    s.on_header_value_complete = &HeadParser::on_value_complete;
    s.on_headers_complete = &HeadParser::on_headers_complete;
    return s;
  }();
  return instance;
}

void HeadParser::reset() {
  llhttp_init(&llhttp_, HTTP_REQUEST, &settings());
  llhttp_.data = this;
  // Both lengths at once must reach the handler as a fact: we judge the lengths ourselves.
  llhttp_set_lenient_chunked_length(&llhttp_, 1);
  request_ = Request();
  error_ = HeadError();
  head_bytes_ = 0;
  line_state_ = LineState::Start;
  in_request_line_ = false;
  last_was_blank_ = false;
  field_open_ = false;
  headers_complete_ = false;
}

Request HeadParser::take() {
  Request request = std::move(request_);
  request.text_.shrink_to_fit();  // it stays for as long as its load
  reset();
  return request;
}

HeadParser::State HeadParser::refuse(int status, const char* text) {
  if (error_.text[0] == '\0') error_ = HeadError{status, text};
  return State::Bad;
}

HeadParser::State HeadParser::feed(core::Bytes bytes, std::size_t& consumed) {
  consumed = 0;
  if (error_.text[0] != '\0') return State::Bad;
  if (bytes.empty()) return State::NeedMore;
  std::size_t length = 0;
  bool ended = false;
  const bool lines_are_good = scan(bytes, length, ended);
  // What stands before a refused byte goes through llhttp too: the first mistake is the one that is named.
  const bool parsed = run_llhttp(bytes.first(length));
  consumed = length;
  if (!parsed || !lines_are_good) return State::Bad;
  return ended ? finish() : State::NeedMore;
}

bool HeadParser::scan(core::Bytes bytes, std::size_t& length, bool& ended) {
  const auto bad = [this](const char* text) {
    // Kept for later: an error that llhttp finds in what stands before comes first.
    (void)refuse(400, text);
    return false;
  };
  for (length = 0; length < bytes.size(); ++length) {
    if (++head_bytes_ > limits_.head_bytes) {
      (void)refuse(431, "the request head is too long");
      return false;
    }
    const auto c = static_cast<unsigned char>(bytes[length]);
    switch (line_state_) {
      case LineState::Start:
        if (c == '\r') {
          line_state_ = LineState::StartCr;
          continue;
        }
        line_state_ = LineState::InLine;
        in_request_line_ = true;
        break;
      case LineState::StartCr:
        if (c != '\n') return bad("a carriage return without a line feed");
        line_state_ = LineState::Start;
        continue;
      case LineState::Cr:
        if (c != '\n') return bad("a carriage return without a line feed");
        line_state_ = LineState::LineStart;
        continue;
      case LineState::LineStart:
        in_request_line_ = false;
        if (c == '\r') {
          line_state_ = LineState::EndCr;
          continue;
        }
        if (c == ' ' || c == '\t') return bad("a folded header line");
        line_state_ = LineState::InLine;
        break;
      case LineState::EndCr:
        if (c != '\n') return bad("a carriage return without a line feed");
        ++length;
        ended = true;
        return true;
      case LineState::InLine:
        break;
    }
    if (in_request_line_) {
      if (last_was_blank_ && (c == ' ' || c == '\r')) return bad("a blank too many in the request line");
      last_was_blank_ = c == ' ';
    }
    if (c == '\r') {
      line_state_ = LineState::Cr;
    } else if (c == '\n') {
      return bad("a line feed without a carriage return");
    } else if ((c < 0x20 && c != '\t') || c == 0x7f) {
      return bad("a control byte in the request head");
    }
  }
  return true;
}

bool HeadParser::run_llhttp(core::Bytes bytes) {
  if (bytes.empty()) return true;
  const HeadError scan_error = std::exchange(error_, HeadError());
  const llhttp_errno_t code =
      llhttp_execute(&llhttp_, reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (error_.text[0] != '\0') return false;  // one of our callbacks refused
  error_ = scan_error;
  // Paused behind the last header is how a good head ends.
  if (code == HPE_OK || (code == HPE_PAUSED && headers_complete_)) return true;
  error_ = HeadError();
  switch (code) {
    case HPE_INVALID_METHOD:
      (void)refuse(400, "the method is not one of HTTP's");
      break;
    case HPE_INVALID_URL:
      (void)refuse(400, "the request target cannot be parsed");
      break;
    case HPE_INVALID_VERSION:
    case HPE_INVALID_CONSTANT:
    case HPE_PAUSED_H2_UPGRADE:
      (void)refuse(400, "the request line cannot be parsed");
      break;
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH:
      (void)refuse(400, "Content-Length cannot be parsed");
      break;
    case HPE_INVALID_TRANSFER_ENCODING:
      (void)refuse(400, "Transfer-Encoding cannot be parsed");
      break;
    default:
      (void)refuse(400, "the request head cannot be parsed");
      break;
  }
  return false;
}

HeadParser::State HeadParser::finish() {
  if (!headers_complete_) return refuse(400, "the request head cannot be parsed");
  if (llhttp_.http_major != 1 || llhttp_.http_minor > 1) {
    return refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  }
  request_.method_ = method_from_llhttp(llhttp_.method);
  request_.is_http_1_0_ = llhttp_.http_minor == 0;
  if (!split_target()) return refuse(400, "the request target cannot be parsed");
  return judge_body_length() ? State::Done : State::Bad;
}

bool HeadParser::split_target() {
  const std::string_view target = request_.target();
  for (const char c : target) {
    if (static_cast<unsigned char>(c) <= 0x20) return false;
  }
  if (!has_valid_escapes(target)) return false;
  std::size_t path_at = 0;
  if (target.empty()) return false;
  if (target.front() != '/' && target != "*") {  // http://host/path, as a proxy writes it
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos) return llhttp_.method == HTTP_CONNECT;
    path_at = std::min(target.find_first_of("/?#", scheme + 3), target.size());
  }
  const std::size_t fragment = std::min(target.find('#', path_at), target.size());
  const std::size_t path_end = std::min(target.find('?', path_at), fragment);
  request_.path_at_ = static_cast<std::uint32_t>(path_at);
  request_.path_size_ = static_cast<std::uint32_t>(path_end - path_at);
  request_.target_size_ = static_cast<std::uint32_t>(fragment);
  return true;
}

bool HeadParser::judge_body_length() {
  bool has_length = false;
  bool is_chunked = false;
  for (std::size_t i = 0; i < request_.header_count(); ++i) {
    const Request::Header each = request_.header_at(i);
    if (equals_ignoring_case(each.name, "content-length")) {
      std::uint64_t length = 0;
      if (!parse_length(each.value, length) || (has_length && length != request_.content_length_)) {
        (void)refuse(400, "Content-Length cannot be parsed");
        return false;
      }
      has_length = true;
      request_.content_length_ = length;
    } else if (equals_ignoring_case(each.name, "transfer-encoding")) {
      if (is_chunked || !equals_ignoring_case(each.value, "chunked")) {
        (void)refuse(400, "this Transfer-Encoding is not known here");
        return false;
      }
      is_chunked = true;
    }
  }
  if (is_chunked) {
    request_.body_length_ = has_length ? BodyLength::Both : BodyLength::Chunked;
  } else {
    request_.body_length_ = has_length ? BodyLength::Length : BodyLength::None;
  }
  return true;
}

bool HeadParser::add_text(const char* at, std::size_t length) {
  request_.text_.append(at, length);  // bounded: scan() counts every byte of the head
  return true;
}

int HeadParser::on_url(llhttp_t* llhttp, const char* at, std::size_t length) {
  HeadParser& self = parser_of(llhttp);
  if (self.request_.text_.size() + length > self.limits_.target_bytes) {
    (void)self.refuse(414, "the request target is too long");
    return HPE_USER;
  }
  self.add_text(at, length);
  self.request_.target_size_ = static_cast<std::uint32_t>(self.request_.text_.size());
  return 0;
}

void HeadParser::open_field() {
  field_open_ = true;
  const auto at = static_cast<std::uint32_t>(request_.text_.size());
  request_.fields_.push_back({.name_at = at, .value_at = at});
}

int HeadParser::on_field(llhttp_t* llhttp, const char* at, std::size_t length) {
  HeadParser& self = parser_of(llhttp);
  if (!self.field_open_) {
    if (self.request_.fields_.size() == self.limits_.headers) {
      (void)self.refuse(431, "the request has too many headers");
      return HPE_USER;
    }
    self.open_field();
  }
  self.add_text(at, length);
  Request::Field& field = self.request_.fields_.back();
  field.name_size += static_cast<std::uint32_t>(length);
  field.value_at = static_cast<std::uint32_t>(self.request_.text_.size());
  return 0;
}

int HeadParser::on_value(llhttp_t* llhttp, const char* at, std::size_t length) {
  HeadParser& self = parser_of(llhttp);
  if (self.request_.fields_.empty()) return HPE_USER;
  self.add_text(at, length);
  self.request_.fields_.back().value_size += static_cast<std::uint32_t>(length);
  return 0;
}

int HeadParser::on_value_complete(llhttp_t* llhttp) {
  HeadParser& self = parser_of(llhttp);
  if (self.request_.fields_.empty()) return HPE_USER;
  self.field_open_ = false;
  Request::Field& field = self.request_.fields_.back();
  const std::string_view text = self.request_.text_;
  if (!is_header_name(text.substr(field.name_at, field.name_size))) {
    (void)self.refuse(400, "a header name cannot be parsed");
    return HPE_USER;
  }
  std::string_view value = text.substr(field.value_at, field.value_size);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) {
    value.remove_prefix(1);
    ++field.value_at;
  }
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  field.value_size = static_cast<std::uint32_t>(value.size());
  return 0;
}

int HeadParser::on_headers_complete(llhttp_t* llhttp) {
  parser_of(llhttp).headers_complete_ = true;
  return HPE_PAUSED;
}

}  // namespace penstock::net
