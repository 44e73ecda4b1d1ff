using System.Text;

namespace OmniFusion.Text;

/// <summary>
/// GPT-2's alphabet of byte-level tokenizers: each of the 256 bytes as one printable character, so that a token is always text.
/// Printable Latin-1 bytes stand for themselves, the others for the characters from U+0100 on, in order.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] CharOfByte = new char[256];
    private static readonly short[] ByteOfChar = new short[0x180];

    static ByteAlphabet()
    {
        Array.Fill(ByteOfChar, (short)-1);
        char next = '\u0100';
        for (int value = 0; value < 256; value++)
        {
            char symbol = value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE ? (char)value : next++;
            CharOfByte[value] = symbol;
            ByteOfChar[symbol] = (short)value;
        }
    }

    /// <summary>The 256 symbols in the order of their code points, which is the order of ids in published vocabularies.</summary>
    public static IEnumerable<char> Symbols => CharOfByte.Order();

    /// <summary>The UTF-8 bytes of <paramref name="text"/>, each as its symbol.</summary>
    public static string Encode(ReadOnlySpan<char> text)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        Span<byte> bytes = length <= 512 ? stackalloc byte[length] : new byte[length];
        Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(length, bytes, static (symbols, source) =>
        {
            for (int i = 0; i < source.Length; i++)
                symbols[i] = CharOfByte[source[i]];
        });
    }

    /// <summary>
    /// Appends the bytes that a token stands for; a token with any character outside the alphabet (an added token) is taken as text.
    /// </summary>
    public static void Decode(string token, List<byte> bytes)
    {
        int begin = bytes.Count;
        foreach (char symbol in token)
        {
            int value = symbol < ByteOfChar.Length ? ByteOfChar[symbol] : -1;
            if (value < 0)
            {
                bytes.RemoveRange(begin, bytes.Count - begin);
                bytes.AddRange(Encoding.UTF8.GetBytes(token));
                return;
            }
            bytes.Add((byte)value);
        }
    }
}
