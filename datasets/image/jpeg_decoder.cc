#include "datasets/image/jpeg_decoder.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "datasets/image/jpeg_errors.h"

namespace auxbench {
namespace {

constexpr size_t kBlock = size_t{1} << 16;  // of Pillow
constexpr int kMostScans = 500;
constexpr JDIMENSION kRowsAtATime = 16;
constexpr const char* kTruncated = "truncated: the JPEG's last lines are missing";

const JOCTET* bytes_of(std::string_view text) { return reinterpret_cast<const JOCTET*>(text.data()); }

// The file in blocks. Asked for more than there is, it gives up; behind the last line it says that there is no more.
struct Source {
  jpeg_source_mgr base{};  // first: libjpeg knows the object by this address
  const JOCTET *next_block = nullptr, *end = nullptr;
  bool all_lines_read = false;

  explicit Source(std::string_view bytes) : next_block(bytes_of(bytes)), end(next_block + bytes.size()) {
    base.init_source = [](j_decompress_ptr) {};
    base.term_source = [](j_decompress_ptr) {};
    base.resync_to_restart = jpeg_resync_to_restart;
    base.skip_input_data = skip;
    base.fill_input_buffer = [](j_decompress_ptr codec) -> boolean {
      auto& source = *reinterpret_cast<Source*>(codec->src);
      if (source.all_lines_read) return FALSE;
      if (source.next_block == source.end) reinterpret_cast<JpegErrors*>(codec->err)->give_up(kTruncated);
      source.take_block();
      return TRUE;
    };
  }

  void take_block() {
    base.next_input_byte = next_block;
    base.bytes_in_buffer = std::min(kBlock, static_cast<size_t>(end - next_block));
    next_block += base.bytes_in_buffer;
  }

  static void skip(j_decompress_ptr codec, long count) {
    auto& source = *reinterpret_cast<Source*>(codec->src);
    auto left = static_cast<size_t>(std::max(count, 0L));
    while (left > source.base.bytes_in_buffer) {
      left -= source.base.bytes_in_buffer;
      source.base.bytes_in_buffer = 0;
      if (source.all_lines_read || source.next_block == source.end) return;
      source.take_block();
    }
    source.base.next_input_byte += left;
    source.base.bytes_in_buffer -= left;
  }
};

// a b / 255, rounded, as Pillow computes it.
int over_255(int a, int b) {
  const int product = a * b + 128;
  return (product + (product >> 8)) >> 8;
}

void cmyk_to_rgb(const std::vector<uint8_t>& inverted, uint8_t* rgb) {
  for (size_t pixel = 0; pixel < inverted.size() / 4; ++pixel) {
    const int light = inverted[4 * pixel + 3];
    for (size_t c = 0; c < kColours; ++c)
      rgb[kColours * pixel + c] = static_cast<uint8_t>(light - over_255(255 - inverted[4 * pixel + c], light));
  }
}

// One file. A decompressor of its own for each: libjpeg keeps tables from one file to the next, and a file without
// tables must not be decoded by those of its predecessor. Making one costs a microsecond or two.
class JpegFile {
 public:
  JpegFile(std::string_view bytes, const std::string& place) : place_(place), source_(bytes) {
    codec_.err = errors_.manager();
    demand([&] { jpeg_create_decompress(&codec_); });
    codec_.src = &source_.base;
    codec_.progress = &progress_;
    progress_.progress_monitor = [](j_common_ptr codec) {
      if (reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number > kMostScans)
        reinterpret_cast<JpegErrors*>(codec->err)->give_up("more than 500 scans over one picture");
    };
  }
  ~JpegFile() { jpeg_destroy_decompress(&codec_); }
  JpegFile(const JpegFile&) = delete;
  JpegFile& operator=(const JpegFile&) = delete;

  // Up to the first scan.
  void read_header() {
    demand([&] {
      while (jpeg_read_header(&codec_, FALSE) == JPEG_HEADER_TABLES_ONLY) {
      }
    });
    if (codec_.num_components != 1 && codec_.num_components != 3 && codec_.num_components != 4)
      refuse_data(place_, "a JPEG of " + std::to_string(codec_.num_components) + " components: 1, 3 or 4 are read");
    if (codec_.data_precision != BITS_IN_JSAMPLE)
      refuse_data(place_, "a JPEG of " + std::to_string(codec_.data_precision) + " bits: 8 are read");
    codec_.out_color_space = codec_.num_components == 4 ? JCS_CMYK : JCS_RGB;
  }
  [[nodiscard]] int64_t width() const { return codec_.image_width; }
  [[nodiscard]] int64_t height() const { return codec_.image_height; }

  PhotoPart decode(const Box& wanted) {
    demand([&] { jpeg_start_decompress(&codec_); });
    PhotoPart part;
    part.box = wanted;
    const bool one_scan = jpeg_has_multiple_scans(&codec_) == FALSE;
    crop_columns(part.box, one_scan);
    part.pixels = Raster(part.box.width, part.box.height);
    pass_over(part.box.top, one_scan);
    read_rows(part.pixels);
    if (one_scan && !ends_in_order()) read_to_the_end();  // several scans have been read before the first row came
    return part;
  }

 private:
  template <typename Step>
  void demand(const Step& step) {
    if (errors_.attempt(step)) return;
    const std::string reason = errors_.text();
    refuse_data(place_, reason == kTruncated ? reason : "broken JPEG: " + reason);
  }

  // Widens the box to columns that libjpeg computes alone. At the edges of a crop fancy upsampling sees other
  // neighbours than in the whole picture: one block more on either side keeps them out of the wanted columns.
  void crop_columns(Box& box, bool one_scan) {
    if (!one_scan) {
      box.left = 0;
      box.width = width();
      return;
    }
    const int64_t block = int64_t{codec_.max_h_samp_factor} * DCTSIZE;
    const int64_t left = std::max<int64_t>(0, box.left - block),
                  right = std::min(width(), box.left + box.width + block);
    auto first = static_cast<JDIMENSION>(left), count = static_cast<JDIMENSION>(right - left);
    if (count < codec_.output_width) demand([&] { jpeg_crop_scanline(&codec_, &first, &count); });
    box.left = first;
    box.width = count;
  }

  void pass_over(int64_t rows, bool one_scan) {
    if (one_scan && rows > 0)
      demand([&] { jpeg_skip_scanlines(&codec_, static_cast<JDIMENSION>(rows)); });
    else
      discard(rows);
  }

  void discard(int64_t rows) {
    std::vector<uint8_t> row(size_t{codec_.output_width} * static_cast<size_t>(codec_.output_components));
    JSAMPROW target = row.data();
    demand([&] {
      for (int64_t y = 0; y < rows; ++y) jpeg_read_scanlines(&codec_, &target, 1);
    });
  }

  void read_rows(Raster& raster) {
    if (codec_.out_color_space == JCS_CMYK) return read_cmyk_rows(raster);
    const auto top = codec_.output_scanline, bottom = top + static_cast<JDIMENSION>(raster.height);
    demand([&] {
      std::array<JSAMPROW, kRowsAtATime> rows{};
      while (codec_.output_scanline < bottom) {
        const auto count = std::min(kRowsAtATime, bottom - codec_.output_scanline);
        for (JDIMENSION i = 0; i < count; ++i)
          rows[i] = raster.row(static_cast<int64_t>(codec_.output_scanline - top) + i);
        jpeg_read_scanlines(&codec_, rows.data(), count);
      }
    });
  }

  void read_cmyk_rows(Raster& raster) {
    std::vector<uint8_t> inverted(static_cast<size_t>(raster.width) * 4);
    JSAMPROW target = inverted.data();
    demand([&] {
      for (int64_t y = 0; y < raster.height; ++y) {
        jpeg_read_scanlines(&codec_, &target, 1);
        cmyk_to_rgb(inverted, raster.row(y));
      }
    });
  }

  // Whether what was not read yet of the only scan can end in no error: libjpeg has nothing but warnings for the data
  // of a scan and for restart marks in it, so it is enough that the next other mark is the end of the image.
  [[nodiscard]] bool ends_in_order() const {
    if (codec_.output_scanline == codec_.output_height || codec_.unread_marker != 0) return false;
    const JOCTET* at = source_.base.next_input_byte;
    while ((at = std::find(at, source_.end, JOCTET{0xFF})) != source_.end) {
      while (at != source_.end && *at == 0xFF) ++at;
      if (at == source_.end) return false;
      if (*at == JPEG_EOI) return true;
      if (*at != 0 && (*at < JPEG_RST0 || *at > JPEG_RST0 + 7)) return false;
    }
    return false;
  }

  void read_to_the_end() {
    discard(static_cast<int64_t>(codec_.output_height) - codec_.output_scanline);
    source_.all_lines_read = true;
    demand([&] { jpeg_finish_decompress(&codec_); });
  }

  const std::string& place_;
  JpegErrors errors_;
  Source source_;
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct codec_{};
};

}  // namespace

PhotoPart decode_jpeg(std::string_view bytes, const std::string& place, const ChooseBox& choose, int64_t limit) {
  JpegFile file(bytes, place);
  file.read_header();
  check_photo_size(file.width(), file.height(), limit, place);
  return file.decode(choose(file.width(), file.height()));
}

const void* jpeg_library() { return reinterpret_cast<const void*>(&jpeg_start_decompress); }

}  // namespace auxbench
