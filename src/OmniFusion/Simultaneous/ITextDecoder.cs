namespace OmniFusion.Simultaneous;

/// <summary>A decoder whose source is a text that grows: the second stage of a cascade.</summary>
public interface ITextDecoder : IPartialDecoder, IDisposable
{
    /// <summary>The source as it is now; it begins with the last one unless the stage before revised it.</summary>
    /// <param name="text">All of it, not empty.</param>
    /// <param name="ended">Whether it is complete.</param>
    void SetSource(string text, bool ended);
}
