namespace OmniFusion;

/// <summary>
/// An input, a file or a setting cannot be used. The message is one sentence for the person at the keyboard:
/// it names the file or the option and what is wrong with it.
/// </summary>
public sealed class OmniFusionException : Exception
{
    /// <summary>Creates the error with the sentence to show.</summary>
    public OmniFusionException(string message) : base(message)
    {
    }

    /// <summary>Creates the error with the sentence to show and its cause.</summary>
    public OmniFusionException(string message, Exception cause) : base(message, cause)
    {
    }
}
