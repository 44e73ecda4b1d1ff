using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;
using OmniFusion.Models;

namespace OmniFusion.Cli;

/// <summary>What makes a figure reproducible, in sacrebleu's notation: <c>name:value</c> with bars between.</summary>
internal static class EvaluationSignature
{
    private const int Block = 1 << 16;

    private static readonly string s_version = typeof(Bootstrap).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>The settings that are not null, and the version of this program.</summary>
    internal static string Of(params (string Name, object? Value)[] settings) => string.Join('|', settings
        .Where(setting => setting.Value is not null)
        .Select(setting => string.Create(CultureInfo.InvariantCulture, $"{setting.Name}:{setting.Value}"))
        .Append($"version:omnifusion-{s_version}"));

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

    /// <summary>
    /// A short digest of a model: settings of its bundle, names and lengths of the files of its parts, and their first, middle and last
    /// 64 KiB. Training changes every block of what it trains, and reading fourteen billion parameters whole would take longer than a test.
    /// </summary>
    /// <exception cref="OmniFusionException">A file cannot be read.</exception>
    internal static string Digest(OmniFusionModel model)
    {
        Bundle bundle = model.Bundle;
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"{bundle.FusionMode}|{bundle.ProjectionDepth}|{bundle.Prompt}|{bundle.ImageWidth}x{bundle.ImageHeight}")));
        byte[] block = new byte[Block];
        try
        {
            foreach (string folder in new[] { bundle.Mmfm, bundle.Translator, bundle.Adapter })
                foreach (string file in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
                    AppendFile(hash, file, block);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"The model's files cannot be read: {error.Message}", error);
        }
        return Short(hash);
    }

    private static void AppendFile(IncrementalHash hash, string path, byte[] block)
    {
        using FileStream file = File.OpenRead(path);
        hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"|{Path.GetFileName(path)}:{file.Length}:")));
        foreach (long at in new[] { 0, (file.Length - Block) / 2, file.Length - Block }.Select(at => Math.Max(0, at)).Distinct())
        {
            file.Position = at;
            hash.AppendData(block, 0, file.ReadAtLeast(block, Block, throwOnEndOfStream: false));
        }
    }

    private static string Short(IncrementalHash hash) => Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
}
