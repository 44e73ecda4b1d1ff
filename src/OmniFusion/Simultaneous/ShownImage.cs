using OmniFusion.Media;
using OmniFusion.Models;

namespace OmniFusion.Simultaneous;

/// <summary>The prompt of the image that is seen: every segment of a stream begins with it, and it is resized once.</summary>
internal sealed class ShownImage
{
    private RgbImage? _image;
    private SpeechPrompt? _prompt;

    /// <summary>The prompt with an image, made where the last one was another.</summary>
    internal SpeechPrompt Prompt(RgbImage image, Func<SpeechPrompt> make)
    {
        if (_prompt is null || !ReferenceEquals(image, _image))
            (_prompt, _image) = (make(), image);
        return _prompt;
    }
}
