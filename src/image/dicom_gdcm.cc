/* dicom_gdcm.cc -- the only C++ of the project: GDCM's codecs behind a C function. GDCM sees no
 * header of a file, only what was checked before: it stops the program where a header is odd.
 * Exceptions end here. */
#include "config.h"
#include "image/dicom.h"

#include <cstdint>
#include <cstdio>
#include <exception>
#include <mutex>

#include <gdcmFragment.h>
#include <gdcmImage.h>
#include <gdcmSequenceOfFragments.h>
#include <gdcmTrace.h>

namespace {

/* GDCM writes to stderr, which is the programs'. */
void be_quiet()
{
    gdcm::Trace::DebugOff();
    gdcm::Trace::WarningOff();
    gdcm::Trace::ErrorOff();
}

gdcm::DataElement pixel_data(const tgi_dicom *dicom)
{
    gdcm::SmartPointer<gdcm::SequenceOfFragments> pieces = new gdcm::SequenceOfFragments;
    gdcm::DataElement element(gdcm::Tag(0x7fe0, 0x0010));

    for (size_t k = 0; k < dicom->n_pieces; k++) {
        gdcm::Fragment fragment;

        fragment.SetByteValue(reinterpret_cast<const char *>(dicom->pieces[k].bytes),
                              static_cast<uint32_t>(dicom->pieces[k].n));
        pieces->AddFragment(fragment);
    }
    element.SetVR(gdcm::VR::OW);
    element.SetValue(*pieces);
    return element;
}

int refuse(char *why, size_t why_size, const char *text)
{
    std::snprintf(why, why_size, "%s", text);
    return 1;
}

int decode(const tgi_dicom *dicom, unsigned char *pixels, size_t n, char *why, size_t why_size)
{
    const unsigned sides[] = {dicom->width_px, dicom->height_px};
    const gdcm::TransferSyntax syntax(gdcm::TransferSyntax::GetTSType(dicom->syntax));
    gdcm::Image image;

    if (syntax == gdcm::TransferSyntax::TS_END)
        return refuse(why, why_size, "its transfer syntax is not known");
    image.SetNumberOfDimensions(2);
    image.SetDimensions(sides);
    image.SetPixelFormat(gdcm::PixelFormat(
        1, static_cast<uint16_t>(dicom->bits_allocated), static_cast<uint16_t>(dicom->bits_stored),
        static_cast<uint16_t>(dicom->high_bit), static_cast<uint16_t>(dicom->is_signed)));
    image.SetPhotometricInterpretation(gdcm::PhotometricInterpretation::MONOCHROME2);
    image.SetTransferSyntax(syntax);
    image.SetDataElement(pixel_data(dicom));
    if (image.GetBufferLength() != n || !image.GetBuffer(reinterpret_cast<char *>(pixels)))
        return refuse(why, why_size, "its pixels cannot be decoded");
    return 0;
}

} // namespace

extern "C" int tgi_gdcm_decode(const tgi_dicom *dicom, unsigned char *pixels, size_t n, char *why,
                               size_t why_size)
{
    static std::once_flag once;

    try {
        std::call_once(once, be_quiet);
        return decode(dicom, pixels, n, why, why_size);
    } catch (const std::exception &error) {
        return refuse(why, why_size, error.what());
    } catch (...) {
        return refuse(why, why_size, "GDCM failed");
    }
}
