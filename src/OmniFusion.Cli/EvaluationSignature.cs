using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;

namespace OmniFusion.Cli;

/// <summary>What makes a figure reproducible, in sacrebleu's notation: <c>name:value</c> with bars between.</summary>
internal static class EvaluationSignature
{
    private const int Block = 1 << 16;
    private const long ReadWhole = 1L << 30;

    // Attention heads are pairs, which are made of fields.
    private static readonly JsonSerializerOptions s_settings = new() { IncludeFields = true };

    /// <summary>Of this program.</summary>
    internal static string Version { get; } = typeof(Bootstrap).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>The settings that are not null, and the version of this program.</summary>
    internal static string Of(params (string Name, object? Value)[] settings) => string.Join('|', settings
        .Where(setting => setting.Value is not null)
        .Select(setting => string.Create(CultureInfo.InvariantCulture, $"{setting.Name}:{setting.Value}"))
        .Append($"version:omnifusion-{Version}"));

    /// <summary>A metric's signature with its bootstrap behind the number of references, as sacrebleu writes it.</summary>
    internal static string With(string signature, BootstrapOptions bootstrap)
    {
        int bar = signature.IndexOf('|', StringComparison.Ordinal);
        return bootstrap.Resamples == 0 ? signature
            : string.Create(CultureInfo.InvariantCulture,
                $"{signature[..bar]}|bs:{bootstrap.Resamples}|seed:{bootstrap.Seed}{signature[bar..]}");
    }

    /// <summary>A short digest of strings.</summary>
    internal static string Digest(IEnumerable<string?> parts)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string? part in parts)
            hash.AppendData(Encoding.UTF8.GetBytes($"{part?.Length ?? -1}:{part}"));
        return Short(hash);
    }

    /// <summary>Short digests of the names and contents of files, as those of a model; null where there is none.</summary>
    /// <exception cref="OmniFusionException">A file cannot be read.</exception>
    internal static IReadOnlyList<string?> Contents(IEnumerable<string?> paths)
    {
        Dictionary<string, string> known = [];
        return [.. paths.Select(path => path is null || !File.Exists(path) ? null
            : known.TryGetValue(path, out string? digest) ? digest : known[path] = Of(path))];

        static string Of(string path)
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            try
            {
                AppendFile(hash, path);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new OmniFusionException($"{path} cannot be read: {error.Message}", error);
            }
            return Short(hash);
        }
    }

    /// <summary>
    /// A short digest of a model: all settings of its bundle, and names and contents of the files of its parts. Of files beyond 1 GB, which
    /// would take longer to read than a test takes, the length and the first, middle and last 64 KiB stand for the content.
    /// </summary>
    /// <param name="bundle">The model's bundle.</param>
    /// <param name="streams">Whether the defaults of simultaneous translation count, which decide nothing else.</param>
    /// <exception cref="OmniFusionException">A file cannot be read.</exception>
    internal static string Digest(Bundle bundle, bool streams = false)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(
            bundle with
            {
                // Where a model lies does not matter.
                Mmfm = "", Translator = "", Adapter = "", Recognizer = null,
                Simultaneous = streams ? bundle.Simultaneous : new BundleSimultaneous(),
            },
            s_settings));
        try
        {
            foreach (string folder in new[] { bundle.Mmfm, bundle.Translator, bundle.Adapter })
                foreach (string file in Directory.EnumerateFiles(folder).Where(file => !AtomicFile.IsUnfinished(file)).Order(StringComparer.Ordinal))
                    AppendFile(hash, file);
            if (bundle.Recognizer is not null)
                AppendFile(hash, bundle.Recognizer);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"The model's files cannot be read: {error.Message}", error);
        }
        return Short(hash);
    }

    private static void AppendFile(IncrementalHash hash, string path)
    {
        using FileStream file = File.OpenRead(path);
        hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"|{Path.GetFileName(path)}:{file.Length}:")));
        if (file.Length <= ReadWhole)
        {
            hash.AppendData(SHA256.HashData(file));
            return;
        }
        byte[] block = new byte[Block];
        foreach (long at in new[] { 0, (file.Length - Block) / 2, file.Length - Block })
        {
            file.Position = at;
            hash.AppendData(block, 0, file.ReadAtLeast(block, Block, throwOnEndOfStream: false));
        }
    }

    private static string Short(IncrementalHash hash) => Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
}
