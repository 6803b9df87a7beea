// libjpeg's errors as values. libjpeg has no way back from an error but a jump, and an exception must not cross its C
// frames: so each call of it is made within attempt(), and what went wrong is thrown after attempt() has returned.
#pragma once

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
//
#include <jpeglib.h>

#ifndef LIBJPEG_TURBO_VERSION
#error "libjpeg-turbo is needed: another libjpeg decodes other pixels, and cannot pass over rows"
#endif

namespace auxbench {

class JpegErrors {
 public:
  // For the `err` of a libjpeg object, before it is created. Warnings are passed over, as Pillow does.
  jpeg_error_mgr* manager() {
    jpeg_std_error(&base_);
    base_.error_exit = [](j_common_ptr codec) {
      auto* errors = reinterpret_cast<JpegErrors*>(codec->err);
      (*codec->err->format_message)(codec, errors->text_.data());
      std::longjmp(errors->way_back_, 1);
    };
    base_.output_message = [](j_common_ptr) {};
    return &base_;
  }

  // Runs step(), which calls libjpeg and has no local object with a destructor; whether libjpeg did not give up.
  template <typename Step>
  [[nodiscard]] bool attempt(const Step& step) {
    if (setjmp(way_back_) != 0) return false;
    step();
    return true;
  }

  // For a callback of libjpeg within attempt(): gives up, for this reason.
  [[noreturn]] void give_up(const char* reason) {
    std::snprintf(text_.data(), text_.size(), "%s", reason);
    std::longjmp(way_back_, 1);
  }

  [[nodiscard]] const char* text() const { return text_.data(); }

 private:
  jpeg_error_mgr base_{};  // first: libjpeg knows the object by this address
  std::jmp_buf way_back_{};
  std::array<char, JMSG_LENGTH_MAX> text_{};
};

}  // namespace auxbench
